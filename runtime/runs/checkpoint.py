"""Checkpoints: where a run is, so that it goes on as if it had never stopped.

A checkpoint holds tensors, numbers and texts alone and is read as such, never unpickled freely.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import torch

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.system.archives import require_room
from ...compiler.system.files import is_there, make_folder, open_file, write_file
from .identity import MOST_NAMED, differences

State = dict[str, Any]
"""Tensors, numbers, texts, and lists and dictionaries of them: what a checkpoint can hold."""
FORMAT = 5
MOST_VALUES = 10_000_000
DEEPEST = 50
_PART = "checkpoint part"
_NAME = re.compile(r"[\w-]{1,100}")


@dataclass(frozen=True)
class CheckpointPart:
    """A piece of a state that stays as it is, under a name that says all of it.

    It is written once, to a file of its own, however many checkpoints have it.
    """

    name: str
    state: State


def write_checkpoint(path: Path, identity: str, state: State) -> None:
    """Writes a state; a checkpoint that is there stays until the new one is whole.

    Raises DiagnosticError where the system refuses.
    """
    names: set[str] = set()
    folder = _parts(path)

    def apart(value: Any) -> Any:
        if isinstance(value, CheckpointPart):
            names.add(value.name)
            file = folder / f"{value.name}.pt"
            if not file.exists():
                make_folder(folder)
                _write(file, identity, value.state)
            return {_PART: value.name}
        if isinstance(value, dict):
            return {key: apart(one) for key, one in cast(State, value).items()}
        if isinstance(value, list):
            return [apart(one) for one in value]
        return value

    _write(path, identity, apart(state))
    for file in folder.glob("*.pt"):
        if file.stem not in names:
            with suppress(OSError):  # what nothing refers to does no harm
                file.unlink()


def _parts(path: Path) -> Path:
    """The folder of the parts of a checkpoint."""
    return path.with_suffix(".parts")


def _write(path: Path, identity: str, state: State) -> None:
    stream = BytesIO()
    torch.save({"format": FORMAT, "identity": identity, "state": state}, stream)
    write_file(path, stream.getbuffer())


def read_checkpoint(path: Path, identity: str) -> State | None:
    """The state that was written; None where there is none.

    Raises DiagnosticError where a file is damaged or belongs to a run of another `identity`.
    """
    if not is_there(path):
        return None

    left = [MOST_VALUES]

    def whole(value: Any, deepest: int) -> Any:
        left[0] -= 1
        if not left[0] or not deepest:
            raise _damaged(path)
        if isinstance(value, dict):
            state = cast(State, value)
            if state.keys() != {_PART}:
                return {key: whole(one, deepest - 1) for key, one in state.items()}
            if not _NAME.fullmatch(str(state[_PART])):
                raise _damaged(path)
            part = _read(_parts(path) / f"{state[_PART]}.pt", identity)
            return whole(part, deepest - 1)
        if isinstance(value, list):
            return [whole(one, deepest - 1) for one in value]
        return value

    state: State = whole(_read(path, identity), DEEPEST)
    return state


def _read(path: Path, identity: str) -> State:
    try:
        with open_file(path) as stream:
            require_room(path, stream, "go on where there is as much as there was")
            content = torch.load(stream, map_location="cpu", weights_only=True)
    except DiagnosticError as error:
        if error.diagnostics[0].code == "E512":
            raise
        raise _damaged(path) from error
    except Exception as error:
        raise _damaged(path) from error
    if type(content) is not dict or content.keys() != {"format", "identity", "state"}:
        raise _damaged(path)
    state = content["state"]
    if type(state) is not dict or type(content["identity"]) is not str:
        raise _damaged(path)
    if content["format"] != FORMAT:
        message = f"`{path}` was written by another version of Fusewright"
        raise fail("E507", message, help="resume it with that version, or begin again")
    if content["identity"] != identity:
        raise _another(path, content["identity"], identity)
    return cast(State, state)


def _another(path: Path, known: str, own: str) -> DiagnosticError:
    """A checkpoint of a run that was begun with something else, which is named."""
    found, options = differences(known, own)
    what = ", ".join(found) or "specification, data or settings"
    given = " ".join(filter(None, options[:MOST_NAMED]))
    remedy = "resume it with what it was begun with" + (f": `{given}`" if given else "")
    return fail("E507", f"`{path}` belongs to a run with another {what}", help=remedy)


def _damaged(path: Path) -> DiagnosticError:
    return fail("E507", f"`{path}` is damaged", help="remove it and begin again")
