"""The Python files of the playground: the front end, and the pure packages that it imports.

python -m website.bundle OUT.zip
"""

from __future__ import annotations

import os
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "fusewright"
LEFT_OUT = ("runtime", "examples", "grammars/vscode", "notebook.py")
"""What of Fusewright searches, trains, or is for elsewhere."""
IMPORTED = ("networkx", "graphviz")
"""Packages that the front end imports while it checks, counts and draws."""
NATIVE = (".so", ".pyd", ".dylib")


def bundle() -> Iterator[tuple[str, bytes]]:
    """Every file by the name that it has in the archive, in order."""
    for file in sorted(_files(PACKAGE)):
        name = file.relative_to(PACKAGE).as_posix()
        left_out = any(name == part or name.startswith(f"{part}/") for part in LEFT_OUT)
        if "__pycache__" not in file.parts and not left_out:
            yield f"fusewright/{name}", file.read_bytes()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    about = f"Metadata-Version: 2.4\nName: {settings['name']}\nVersion: {settings['version']}\n"
    yield f"fusewright-{settings['version']}.dist-info/METADATA", about.encode()
    for package in IMPORTED:
        yield from _installed(package)


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, those behind links too."""
    for home, _, names in os.walk(folder, followlinks=True):
        yield from (Path(home, name) for name in names)


def _installed(package: str) -> Iterator[tuple[str, bytes]]:
    """The modules of a package, its name and licence; raises ValueError where one is native.

    NOTE: a folder of metadata without the name in it would break whoever looks for plugins.
    """
    for file in sorted(files(package) or ()):
        name = file.as_posix()
        if name.endswith(NATIVE):
            raise ValueError(f"`{package}` is not pure Python: {name}")
        is_wanted = name.endswith((".py", "/METADATA")) or "license" in name.lower()
        if is_wanted and "/tests/" not in name and not name.startswith(".."):
            yield name, file.read_binary()


def main() -> None:
    with zipfile.ZipFile(sys.argv[1], "w") as archive:
        for name, content in bundle():
            archive.writestr(zipfile.ZipInfo(name), content)


if __name__ == "__main__":
    main()
