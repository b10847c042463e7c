"""A run folder: everything that is needed to repeat the run, and what it found.

    specification.fuse      what was searched
    genotype.fuse           what a search found, or what was trained
    weights.safetensors     the trained network
    hypernet.safetensors    the hypernet of the best epoch, architecture parameters included
    search.toml train.toml  the settings
    search.json train.json  a record for every epoch, the versions, and what the data was

Files are written beside their place and then moved there, so that none is ever half written.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import save

from ..compiler.diagnostics import fail
from ..compiler.files import write_file
from ..compiler.load import load
from ..compiler.provenance import described, versions
from ..compiler.spec import Spec
from .settings import Settings, read_settings

METRICS_KEY, RUN_KEY, SPACE_KEY = "fusewright.metrics", "fusewright.run", "fusewright.space"
"""Where an artifact's metadata hold the run's last record, its settings, and what it searched."""


@dataclass(frozen=True)
class RunFolder:
    """A run folder; `stage` is the command that writes into it, `search` or `train`."""

    path: Path
    stage: str = ""

    @classmethod
    def create(
        cls,
        out: str | PathLike[str],
        stage: str,
        overwrite: bool,
        genotype: Spec | None = None,
    ) -> RunFolder:
        """The folder for a new run, not yet made; raises DiagnosticError if a run would be lost.

        A training may go where the search is that found its genotype.
        """
        path = Path(out)
        remedy = "choose another folder, or add `--overwrite`"
        if (path / f"{stage}.json").exists() and not overwrite:
            raise fail("E507", f"`{path}` already holds a {stage}", help=remedy)
        found = path / "genotype.fuse"
        if genotype is not None and found.exists() and not overwrite and load(found) != genotype:
            raise fail("E507", f"`{path}` already holds another genotype", help=remedy)
        place = next(p for p in (path, *path.absolute().parents) if p.exists())
        if not place.is_dir() or not os.access(place, os.W_OK):
            raise fail("E504", f"cannot write into `{place}`", help="choose another folder")
        return cls(path, stage)

    def require(self, name: str) -> Path:
        """The path of a file of the run; raises DiagnosticError where it is missing."""
        path = self.path / name
        if not path.is_file():
            message = f"the run `{self.path}` has no `{name}`"
            raise fail("E507", message, help="was the run finished? train it again")
        return path

    def settings(self, stage: str) -> Settings:
        """The settings of a stage of this run."""
        return read_settings(self.require(f"{stage}.toml"))

    def metadata(self) -> dict[str, str]:
        """What an artifact of this trained run says of it; what is not known is left out."""
        found = {RUN_KEY: json.dumps({"split_seed": self.settings("train").split_seed})}
        if metrics := self._last_epoch():
            found[METRICS_KEY] = json.dumps(metrics)
        space = self.path / "specification.fuse"
        if space.is_file():
            found[SPACE_KEY] = str(load(space))
        return found

    def _last_epoch(self) -> dict[str, Any]:
        """The last record of the training; nothing where its file is damaged or gone."""
        try:
            record = json.loads((self.path / "train.json").read_bytes())
            return dict(record["epochs"][-1])
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            return {}

    def write_run(
        self,
        spec: Spec | None,
        settings: Settings,
        data: object,
        history: Sequence[Mapping[str, Any]],
    ) -> None:
        """Writes what the run was: specification, settings, record, versions and data."""
        if spec is not None:
            self.write_spec("specification", spec)
        self._write(f"{self.stage}.toml", settings.to_toml().encode())
        record = {
            "stage": self.stage,
            "versions": versions(),
            "machine": {"system": platform.platform(), "processors": os.cpu_count()},
            "data": describe(data),
            "epochs": list(history),
        }
        self._write(f"{self.stage}.json", json.dumps(record, indent=1).encode())

    def write_spec(self, name: str, spec: Spec) -> None:
        self._write(f"{name}.fuse", str(spec).encode())

    def write_tensors(self, name: str, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._write(f"{name}.safetensors", save(dict(tensors)))

    def _write(self, name: str, content: bytes) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise fail("E504", f"cannot create `{self.path}`: {error.strerror}") from None
        write_file(self.path / name, content)


def describe(data: object) -> dict[str, Any]:
    """What data a run read: its files with sizes and hashes, or that it came from memory."""
    if not isinstance(data, (str, PathLike)):
        return {"source": "arrays in memory"}
    place = Path(data)
    files = sorted(f for f in place.iterdir() if f.is_file()) if place.is_dir() else [place]
    return {
        "source": str(place),
        "files": [{"name": file.name, **described(file)} for file in files],
    }


def settings_of(metadata: Mapping[str, str]) -> Settings:
    """The settings of the run that an artifact tells of, as far as it can be believed."""
    try:
        return Settings(split_seed=json.loads(metadata[RUN_KEY])["split_seed"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return Settings()
