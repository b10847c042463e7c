"""Processes of one run, as torchrun starts them: `python -m tests.support.processes COUNT CODE …`.

They are forked, so that what all of them import is imported once; one that fails ends the others.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

from .forking import finish, prepare_to_fork
from .paths import ROOT


def together(count: int, code: str, *arguments: str, launcher: bool = False) -> None:
    """Runs code in so many processes, which a `launcher`, torchrun itself, starts if that is asked.

    Raises CalledProcessError where one of them fails.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ["-m", "tests.support.processes", str(count)]
    torchrun = [
        *("-m", "torch.distributed.run", f"--nproc-per-node={count}", f"--master-port={port}"),
        *("--no-python", sys.executable, "-c"),
    ]
    command = [sys.executable, *(torchrun if launcher else own), code, *arguments]
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "test"}
    environment = {**os.environ, **single, **place}
    subprocess.run(command, cwd=ROOT, check=True, timeout=300, env=environment)


def main(count: int, code: str, arguments: list[str]) -> None:
    prepare_to_fork()
    children = [_child(number, count, code, arguments) for number in range(count)]
    failed = False
    while children:
        child, status = os.wait()
        children.remove(child)
        if status and not failed:
            failed = True
            for other in children:
                os.kill(other, signal.SIGKILL)
    sys.exit(failed)


def _child(number: int, count: int, code: str, arguments: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    ranks = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    ranks |= {"GROUP_RANK": 0, "GROUP_WORLD_SIZE": 1}
    os.environ.update({name: str(value) for name, value in ranks.items()})
    sys.argv = ["-c", *arguments]
    return finish(lambda: exec(code, {"__name__": "__main__"}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
