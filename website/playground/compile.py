"""Run by Pyodide when the site is built: compiles the playground's modules for its own Python.

Fusewright is unpacked when the page starts, since it looks for files beside its own; what it
imports is read from the archive.
"""

import sys
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode
from py_compile import compile as compile_file

SCRATCH, MADE = Path("/module.py"), Path("/module.pyc")
TIME = (2026, 1, 1, 0, 0, 0)


def compiled(name: str, source: bytes) -> bytes:
    SCRATCH.write_bytes(source)
    how = PycInvalidationMode.UNCHECKED_HASH
    compile_file(
        str(SCRATCH), str(MADE), f"/front/{name}", doraise=True, optimize=1, invalidation_mode=how
    )
    return MADE.read_bytes()


def pyc_of(name: str) -> str:
    folder, _, file = name.rpartition("/")
    if not name.startswith("fusewright/"):
        return f"{name}c"
    return f"{folder}/__pycache__/{file[:-3]}.{sys.implementation.cache_tag}.pyc"


with (
    zipfile.ZipFile("/sources.zip") as sources,
    zipfile.ZipFile("/python.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
):
    for item in sources.infolist():
        content = sources.read(item)
        if item.filename.startswith("fusewright") or not item.filename.endswith(".py"):
            archive.writestr(zipfile.ZipInfo(item.filename, TIME), content, zipfile.ZIP_DEFLATED)
        if item.filename.endswith(".py"):
            made = zipfile.ZipInfo(pyc_of(item.filename), TIME)
            archive.writestr(made, compiled(item.filename, content), zipfile.ZIP_DEFLATED)
