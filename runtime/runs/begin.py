"""The beginning of a run: its folder, which no other process writes into until the end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from ...compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError, fail
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.system.files import is_there
from ...compiler.tools.meaning import means_the_same
from ..parallel.processes import gathered, rank
from .digests import digest_of_records, stated
from .folder import RunFolder
from .lock import locked
from .names import CHECKPOINT, GENOTYPE, HISTORY, about_file, checkpoint_file

REMEDY = "choose another folder, or add `--overwrite`"
_CALLED = {"search": "search", "train": "training"}
"""What a run of a stage is called."""


@contextmanager
def begun(
    out: str | PathLike[str] | None,
    stage: str,
    overwrite: bool,
    genotype: Spec | None = None,
    *,
    resume: bool = False,
) -> Generator[RunFolder | None]:
    """The folder for a run, held by this process as `locked` says; None without `out`.

    A training may go where the search is that found its genotype; one of no `genotype` is that of
    an ensemble. With `resume`, a run that is there goes on. Of processes that run together the
    first holds the folder for all. Raises DiagnosticError, in all of them, where a run would be
    lost, or another process has the folder.
    """
    if out is None:
        if resume:
            raise fail("E506", "there is no run folder to resume from", help="give `out=…`")
        yield None
        return
    folder = RunFolder(Path(out), stage)

    def require() -> None:
        _require_room(folder, overwrite, resume)
        if stage == "train":
            _require_place(folder, genotype, overwrite)

    with _owned(folder, stage, require):
        yield folder


@contextmanager
def found_again(
    out: str | PathLike[str] | None, history: Sequence[Mapping[str, Any]]
) -> Generator[RunFolder | None]:
    """The folder of a search with these records, to be added to; held as by `begun`."""
    if out is None:
        yield None
        return
    folder = RunFolder(Path(out), "search")

    def require() -> None:
        known = stated(folder.require(about_file("search"))).get(HISTORY)
        if known != digest_of_records(history):
            message = f"`{out}` holds another search"
            raise fail("E507", message, help="give the folder that this search wrote")

    with _owned(folder, "search", require):
        yield folder


@contextmanager
def _owned(folder: RunFolder, command: str, require: Callable[[], None]) -> Generator[None]:
    """Within, the first process holds a folder for all; what it requires is met, or all raise."""
    with ExitStack() as stack:
        problems: tuple[Diagnostic, ...] = ()
        if rank() == 0:
            try:
                stack.enter_context(locked(folder.path, command))
                require()
            except DiagnosticError as error:
                problems = error.diagnostics
        if found := gathered(problems)[0]:
            raise DiagnosticError(found)
        yield


def _require_room(folder: RunFolder, overwrite: bool, resume: bool) -> None:
    """Raises DiagnosticError where a run is there that a new one would replace."""
    path, stage = folder.path, folder.stage
    is_stopped = is_there(path / checkpoint_file(stage))
    if overwrite or (resume and is_stopped):
        return
    if resume and is_there(path / about_file(stage)):
        message = f"`{path}` holds a {_CALLED[stage]} that is finished, without a checkpoint"
        raise fail("E507", message, help=REMEDY)
    replaced = ("search", "train") if stage == "search" else (stage,)
    for one in replaced:
        if is_there(path / about_file(one)):
            raise fail("E507", f"`{path}` already holds a {_CALLED[one]}", help=REMEDY)
    for one in replaced:
        if is_there(path / checkpoint_file(one)):
            message = f"`{path}` holds a {_CALLED[one]} that was stopped"
            raise fail("E510", message, help="go on with `--resume`, or add `--overwrite`")


def _require_place(folder: RunFolder, genotype: Spec | None, overwrite: bool) -> None:
    """Raises DiagnosticError where a training does not go together with what is there."""
    path, file = folder.path, folder.path / GENOTYPE
    has_search = is_there(path / about_file("search"))
    if is_there(path / CHECKPOINT) and not has_search:
        message = f"`{path}` holds a search that was stopped"
        raise fail("E510", message, help="go on with it by `--resume`, or choose another folder")
    if folder.holds_ensemble if genotype else is_there(file):
        what = "an ensemble" if genotype else "a single genotype"
        raise fail("E507", f"`{path}` holds {what}", help="choose another folder")
    if genotype is None or not is_there(file) or means_the_same(load(file), genotype):
        return
    if has_search:
        message = f"`{path}` holds the search of another genotype"
        raise fail("E507", message, help="choose another folder")
    if not overwrite:
        raise fail("E507", f"`{path}` already holds another genotype", help=REMEDY)
