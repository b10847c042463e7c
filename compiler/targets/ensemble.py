"""An ensemble as what is compiled: its members as one Program, which gives their mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..check.check import checked, require_no_holes
from ..documents.ensemble import ensemble_text, read_ensemble_text
from ..documents.records import RecordKind
from ..documents.spellings import loads
from ..graph.build import build
from ..language.ensemble import Ensemble
from ..lowering.lower import lower
from ..network.network import Network
from ..program.equal_weights import with_equal_weights
from ..program.join import join_mean
from ..program.program import Program, Scope
from ..program.weights import WeightSource, fitting
from .keys import ENSEMBLE_KEY
from .safetensors import read_weights
from .target import Subject


@dataclass(frozen=True, kw_only=True)
class EnsembleSubject(Subject):
    """An ensemble to be compiled; `network` is its first member, which reads and predicts as all.

    The weights of each member, and the scopes of what it computes, begin with its name. Weights
    that are equal are read once, and what is computed of them alike is computed once.
    """

    ensemble: Ensemble
    members: Mapping[str, Network]

    @classmethod
    def of(cls, ensemble: Ensemble, weights: WeightSource | None = None) -> EnsembleSubject:
        """The ensemble, checked; raises DiagnosticError where a member is wrong or has holes."""
        members = {name: checked(one.genotype) for name, one in ensemble.named.items()}
        for network in members.values():
            require_no_holes(network)
        first = next(iter(members.values()))
        return cls(first, weights, ensemble=ensemble, members=members)

    @property
    def networks(self) -> Mapping[Scope, Network]:
        return {(name,): network for name, network in self.members.items()}

    @property
    def about(self) -> dict[str, str]:
        genotypes = [str(network.spec) for network in self.members.values()]
        return {ENSEMBLE_KEY: ensemble_text(self.ensemble, genotypes)}

    @cached_property
    def program(self) -> Program:
        programs = {name: lower(build(network)) for name, network in self.members.items()}
        shares = [one.weight for one in self.ensemble.members]
        program = join_mean(programs, shares, self.network.head)
        if self.weights is None:
            return program
        return with_equal_weights(program, fitting(program, read_weights(self.weights)))


def ensemble_in(about: Mapping[str, str], name: str) -> Ensemble | None:
    """The ensemble that an artifact was compiled from; None where it says of none.

    Raises DiagnosticError where what it says is no ensemble.
    """
    if ENSEMBLE_KEY not in about:
        return None
    return read_ensemble_text(
        about[ENSEMBLE_KEY],
        name,
        lambda text, member: loads(text, f"{name}:{member}", "fuse"),
        RecordKind(
            "E504", "holds no ensemble that can be read", "compile it again", schema="ensemble"
        ),
    )
