"""Builds the sdist, and the wheel from it, twice in folders of their own, and compares the bytes.

    python -m release.build --out dist

What is built is what git tracks, as it stands in the working tree. Times are those of the last
commit (`SOURCE_DATE_EPOCH`), modes and owners are the same for whoever builds. `DIST/SHA256SUMS`
has the digests.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
HOOK = "import sys; from setuptools import build_meta as b; b.build_{kind}(sys.argv[1])"


def build(root: Path = ROOT) -> dict[str, bytes]:
    """The sdist and the wheel of a working tree, by their names."""
    epoch = _git(root, "log", "-1", "--format=%ct").strip()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0"}
    with TemporaryDirectory() as scratch:
        tree, unpacked, out = (Path(scratch, name) for name in ("tree", "unpacked", "out"))
        out.mkdir()
        export(root, tree)
        sdist = _built("sdist", tree, out, environment)
        sdist.write_bytes(plain_tar(sdist.read_bytes(), int(epoch)))
        with tarfile.open(sdist) as archive:
            archive.extractall(unpacked, filter="data")
        (source,) = unpacked.iterdir()
        wheel = _built("wheel", source, out, environment)
        return {file.name: file.read_bytes() for file in (sdist, wheel)}


def export(root: Path, tree: Path) -> None:
    """Copies what git tracks, with plain modes; links stay links."""
    for name in _git(root, "ls-files", "-z").split("\0"):
        source, target = root / name, tree / name
        if not name or not os.path.lexists(source):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target, follow_symlinks=False)
        if not target.is_symlink():
            target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def plain_tar(packed: bytes, time: int) -> bytes:
    """A `.tar.gz` with its members in order, nobody's, and of one time."""
    plain = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(packed)) as archive,
        gzip.GzipFile(fileobj=plain, mode="wb", filename="", mtime=time) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as written,
    ):
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = time, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            written.addfile(member, archive.extractfile(member) if member.isfile() else None)
    return plain.getvalue()


def _built(kind: str, tree: Path, out: Path, environment: Mapping[str, str]) -> Path:
    """What setuptools builds of a tree; raises CalledProcessError where it can't."""
    before = set(out.iterdir())
    command = [sys.executable, "-c", HOOK.format(kind=kind), str(out)]
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()
    (file,) = set(out.iterdir()) - before
    return file


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("dist"))
    out: Path = parser.parse_args().out
    first, second = build(), build()
    if first != second:
        different = [name for name in first if first[name] != second.get(name)]
        sys.exit(f"built twice, and not equal: {', '.join(different)}")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    sums = ""
    for name, content in first.items():
        (out / name).write_bytes(content)
        sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
    (out / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(f"built twice, equal byte for byte:\n{sums}", end="")


if __name__ == "__main__":
    main()
