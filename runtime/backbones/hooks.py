"""What parts of a backbone give while the whole runs, by forward hooks.

A part may give more than a tensor: the first tensor is taken, in the order in which it gives them
(of transformers that is the hidden state). It is copied, since what comes after may write into it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, cast

from torch import Tensor, nn

from ...compiler.diagnostics.diagnostic import Report, did_you_mean
from ...compiler.diagnostics.source import span_of

WHOLE = ""
"""The path of a backbone itself: what it gives at its end."""


class AllTaken(Exception):
    """Everything that was to be taken has been: the rest of the backbone need not run."""


@dataclass
class Taken:
    """The first tensor of what each part gave last, and how often each part ran."""

    tensors: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    runs: dict[str, int] = field(default_factory=dict[str, int])


def parts_of(module: nn.Module, paths: Iterable[str], name: str) -> dict[str, nn.Module]:
    """The parts of a backbone of this name by path; raises DiagnosticError for those not there."""
    known = dict(module.named_modules())
    report = Report()
    for path in paths:
        if path not in known:
            remedy = did_you_mean(path, known) or f"`fusewright inspect {name}` lists its parts"
            message = f"`{name}` has no part `{path}`"
            report.add("E514", message, span_of(path), help=remedy)
    report.raise_errors()
    return {path: known[path] for path in paths}


@contextmanager
def taking(parts: Mapping[str, nn.Module], *, stop: bool) -> Generator[Taken]:
    """Takes what parts give while the block runs, and with `stop` no longer than is needed.

    What then runs them raises AllTaken, which is caught here.
    """
    taken = Taken()
    left = set(parts)

    def hook(path: str) -> Any:
        def take(_: nn.Module, __: Any, output: object) -> None:
            taken.runs[path] = taken.runs.get(path, 0) + 1
            tensor = next(_tensors(output), None)
            if tensor is not None:
                taken.tensors[path] = tensor.clone()
            left.discard(path)
            if stop and not left:
                raise AllTaken

        return take

    handles = [part.register_forward_hook(hook(path)) for path, part in parts.items()]
    try:
        yield taken
    except AllTaken:
        pass
    finally:
        for handle in handles:
            handle.remove()


def _tensors(output: object) -> Iterator[Tensor]:
    """The tensors of what a part gives, in order."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for item in cast("Mapping[Any, object]", output).values():
            yield from _tensors(item)
    elif isinstance(output, (list, tuple)):
        for item in cast("Sequence[object]", output):
            yield from _tensors(item)
    elif is_dataclass(output):
        for item in fields(output):
            yield from _tensors(getattr(output, item.name))
