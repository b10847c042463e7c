"""What a `.pt2` file says of what it was compiled from, read without torch."""

from __future__ import annotations

import zipfile
from io import BufferedReader
from os import PathLike, fspath

from ..diagnostics.diagnostic import fail
from ..diagnostics.source import LONGEST_TEXT
from ..documents.spellings import loads
from ..language.spec import Spec
from ..system.archives import BROKEN_ARCHIVE
from ..system.files import open_file, reason
from .keys import ENSEMBLE_KEY, SPEC_KEY

_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_spec(path: str | PathLike[str]) -> Spec:
    """The specification beside a torch program; raises DiagnosticError where there is none."""
    with open_file(path) as stream:
        try:
            about = _about(stream)
        except (OSError, ValueError, *BROKEN_ARCHIVE) as error:
            raise fail("E504", f"`{path}` is no torch program: {reason(error)}") from None
    if SPEC_KEY not in about:
        what = "an ensemble" if ENSEMBLE_KEY in about else "no specification"
        remedy = "load the ONNX file, or the run, that is of the same network"
        raise fail("E504", f"`{path}` holds {what}", help=remedy)
    return loads(about[SPEC_KEY], f"{fspath(path)}:{SPEC_KEY}", "fuse")


def _about(stream: BufferedReader) -> dict[str, str]:
    """The texts that stand beside the program, those of them that are known."""
    found: dict[str, str] = {}
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            key = member.filename.rpartition("/extra/")[2]
            if key not in (SPEC_KEY, ENSEMBLE_KEY):
                continue
            if member.compress_type not in _KINDS:
                raise ValueError(f"`{key}` is compressed in a way that torch does not write")
            with archive.open(member) as content:
                found[key] = content.read(4 * LONGEST_TEXT + 1).decode()
    return found
