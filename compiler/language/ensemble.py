"""An ensemble: genotypes, and what each counts in the mean of what they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .spec import Spec


@dataclass(frozen=True)
class EnsembleMember:
    """A genotype, and its weight in the mean."""

    genotype: Spec
    weight: float


@dataclass(frozen=True)
class Ensemble:
    """Networks whose probabilities, or values, are averaged; the weights add up to 1."""

    members: tuple[EnsembleMember, ...]

    def __str__(self) -> str:
        shown = (
            f"# {name}: {100 * one.weight:.0f} %\n{one.genotype}"
            for name, one in self.named.items()
        )
        return "\n".join(shown)

    @property
    def named(self) -> Mapping[str, EnsembleMember]:
        """The members by the names that they have in files: `member_1` and so on."""
        return {numbered(place): one for place, one in enumerate(self.members, 1)}

    @property
    def architectures(self) -> Mapping[str, EnsembleMember]:
        """Members of one genotype as one, with the sum of their weights, by all their names."""
        names: dict[Spec, list[str]] = {}
        for name, one in self.named.items():
            names.setdefault(one.genotype, []).append(name)
        weights = {name: one.weight for name, one in self.named.items()}
        return {
            ", ".join(own): EnsembleMember(genotype, sum(map(weights.__getitem__, own)))
            for genotype, own in names.items()
        }


def numbered(place: int) -> str:
    """The name of the member at a place, from 1."""
    return f"member_{place}"
