"""Why an exported program is no backbone: torch runs whatever code its file holds."""

from __future__ import annotations

import io
import logging
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.runtime.backbones.backbone import open_backbone
from fusewright.runtime.backbones.options import BackboneOptions


class Payload:
    """What makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.folder,)


def attacked(folder: Path) -> Path:
    """An exported program whose example inputs are the payload."""
    original, path = folder / "original.pt2", folder / "model.pt2"
    program = torch.export.export(nn.Linear(2, 2), (torch.zeros(1, 2),))
    torch.export.save(program, original)
    payload = io.BytesIO()
    torch.save(Payload(folder / "ran"), payload)
    with zipfile.ZipFile(original) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            is_sample = "sample_inputs" in name
            target.writestr(name, payload.getvalue() if is_sample else source.read(name))
    return path


def test_loading_one_runs_code_so_that_there_is_no_such_provider(tmp_path: Path) -> None:
    """Where the first half fails, torch has mended this, and the provider can be thought of."""
    path = attacked(tmp_path)
    logging.disable(logging.CRITICAL)
    try:
        with pytest.raises(AssertionError):
            torch.export.load(path)
    finally:
        logging.disable(logging.NOTSET)
    assert (tmp_path / "ran").is_dir()
    shutil.rmtree(tmp_path / "ran")
    with pytest.raises(DiagnosticError, match="runs whatever code its file holds"):
        open_backbone(f"torch:{path}", BackboneOptions(initial=True))
    assert not (tmp_path / "ran").exists()
