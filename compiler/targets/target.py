"""What a target is: one record that says what a network becomes there, and how that is a file.

A folder here that has a `target.py` holds one record, or more. The records import nothing that
they compile with, so that all of them are known at once; their functions do when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..diagnostics.diagnostic import did_you_mean, fail, one_of
from .keys import SPEC_KEY

if TYPE_CHECKING:
    from ..language.spec import Spec
    from ..network.holes import Relaxation
    from ..network.network import Network
    from ..program.program import Program, Scope
    from ..program.weights import Weights, WeightSource

_PACKAGE = __name__.rpartition(".")[0]
ORDER = ("onnx", "torch", "numpy", "python", "pt2")
"""How the targets are listed; those that it does not name come last."""


@dataclass(frozen=True)
class Subject:
    """What is compiled: a network that is checked, and lowered once for all that it becomes.

    Without `weights`, parameters have their initial values, which depend on `seed` and their names
    alone. `relax` says how open inputs are mixed.
    """

    network: Network
    weights: WeightSource | None = None
    relax: Relaxation = "shared"
    seed: int = 0

    @property
    def networks(self) -> Mapping[Scope, Network]:
        """The networks that are compiled, by the scope that their places stand in."""
        return {(): self.network}

    @property
    def about(self) -> dict[str, str]:
        """What artifacts say that they were compiled from."""
        return {SPEC_KEY: str(self.network.spec)}

    @cached_property
    def program(self) -> Program:
        """The Program before any pass; raises DiagnosticError where it cannot be lowered."""
        from ..graph.build import build
        from ..lowering.lower import lower
        from ..network.holes import RELAXATIONS

        if self.relax not in RELAXATIONS:
            message = f"unknown relaxation `{self.relax}`"
            raise fail("E506", message, help=f"relaxations are {one_of(RELAXATIONS)}")
        return lower(build(self.network), self.relax)

    @cached_property
    def arrays(self) -> Weights:
        """The weights that the Program reads; raises DiagnosticError where they do not fit."""
        from ..program.initial import initial_values
        from ..program.weights import fitting
        from .safetensors import read_weights

        if self.weights is None:
            return initial_values(self.program, self.seed)
        return fitting(self.program, read_weights(self.weights))


SUBJECT = tuple(item.name for item in fields(Subject))[1:]
"""What may be said of any subject that has weights."""


@dataclass(frozen=True)
class Target:
    """A target by name: what compiles a Subject for it, given those of its `options` that are said.

    `options` is a dataclass of them, which says for each whether `compile` or `deploy` reads it.
    Where a network is a file, that has an `ending`, beside which other files of its own have
    those of `beside`. `encode` is its content, None where the file is measured while it is made:
    that is left to `runtime/deploy`. `specification` reads the one inside. One with `ensembles`
    takes an EnsembleSubject too.
    """

    name: str
    compile: Callable[..., Any]
    options: type | None = None
    ending: str = ""
    beside: tuple[str, ...] = ()
    encode: Callable[[Subject], bytes] | None = None
    specification: Callable[[str | PathLike[str]], Spec] | None = None
    has_weights: bool = True
    ensembles: bool = False

    def chosen(self, options: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
        """The options that are not None; raises DiagnosticError for one that is not known."""
        values = {name: value for name, value in options.items() if value is not None}
        for name in values:
            if name not in known:
                shown = f"it takes {one_of(known, 20)}" if known else f"`{self.name}` takes none"
                remedy = did_you_mean(name, known) or f"leave it out: {shown}"
                message = f"the target `{self.name}` takes no option `{name}`"
                raise fail("E506", message, help=remedy)
        return values


def late(place: str) -> Callable[..., Any]:
    """What a module here calls so, `torch.program.saved` say, imported when it is called."""
    module, _, name = place.rpartition(".")
    return lambda *a, **k: getattr(import_module(f".{module}", _PACKAGE), name)(*a, **k)


@cache
def targets() -> Mapping[str, Target]:
    """All targets by name."""
    places = import_module(_PACKAGE).__path__
    homes = sorted(file.parent.name for p in places for file in Path(p).glob("*/target.py"))
    modules = [import_module(f".{home}.target", _PACKAGE) for home in homes]
    by_name = {v.name: v for m in modules for v in vars(m).values() if isinstance(v, Target)}
    return {name: by_name[name] for name in dict.fromkeys((*ORDER, *by_name))}


def file_targets() -> Mapping[str, Target]:
    """The targets whose artifacts are files."""
    return {name: target for name, target in targets().items() if target.ending}


def target_of(path: str | PathLike[str]) -> Target | None:
    """The target whose files end as this one does."""
    return {t.ending: t for t in file_targets().values()}.get(Path(path).suffix)
