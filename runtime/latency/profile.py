"""Latency profiles: what each part of a network takes on a machine, and what a network will take.

The latency of a network is predicted as the sum over its parts and a fixed overhead, for a batch of
one sample. A part is known by what it computes (`compiler/measure/parts.py`), so a profile serves
every specification whose parts it has: that which was measured, and each genotype found in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike, fspath
from typing import Any

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.diagnostics.text import json_text
from ...compiler.documents.records import RecordKind, read_record
from ...compiler.graph.build import build
from ...compiler.language.nodes import Budget
from ...compiler.lowering.lower import lower
from ...compiler.measure.parts import Part, Parts, parts_of
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ...compiler.program.program import Program
from ...compiler.system.files import read_text

FORMAT = 1
LONGEST_PROFILE = 4_000_000
"""Characters of a profile's file."""
_KIND = RecordKind("E511", "is no profile", "write one with `fusewright profile`", schema="profile")


@dataclass(frozen=True)
class Check:
    """How far predictions were off on whole networks, relative to what these took."""

    networks: int
    mean_error: float
    largest_error: float


@dataclass(frozen=True)
class Profile:
    """Milliseconds by the keys of parts, and how they were measured.

    `sizes` are what axes counted as that a specification leaves open.
    """

    name: str
    overhead: float
    milliseconds: Mapping[str, float]
    names: Mapping[str, str]
    threads: int = 1
    repetitions: int = 1
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    machine: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    check: Check | None = None

    def part(self, part: Part) -> float:
        """What a part takes; raises DiagnosticError where the profile does not have it."""
        if not part.computes:
            return 0.0
        if part.key not in self.milliseconds:
            message = f"the profile `{self.name}` does not have {part.name} as it is here"
            remedy = "measure this specification: `fusewright profile FILE -o PROFILE.json`"
            raise fail("E511", message, help=remedy)
        return self.milliseconds[part.key]

    def sum(self, parts: Iterable[Part]) -> float:
        """What a network of these parts will take, in milliseconds."""
        return self.overhead + sum(map(self.part, parts))

    def predicted(self, network: Network, program: Program | None = None) -> float:
        """What a network without holes will take, in milliseconds.

        `program` is the network's after the passes of `inference`, where there is one already.
        """
        program = program or optimise(lower(build(network)), "inference")
        return self.sum(parts_of(program, Parts(network)).values())

    def require(self, budget: Budget) -> None:
        """Raises DiagnosticError where a budget is stated on another profile than this."""
        if budget.on not in (None, self.name):
            message = f"a budget is stated on the profile `{budget.on}`, and this is `{self.name}`"
            remedy = f"give the profile `{budget.on}` with `--profile`"
            raise fail("E511", message, budget.span, help=remedy)

    def text(self) -> str:
        """The profile as JSON, which `read_profile` reads back."""
        parts = [
            {"name": self.names[key], "key": key, "milliseconds": value}
            for key, value in self.milliseconds.items()
        ]
        document: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "threads": self.threads,
            "batch": 1,
            "repetitions": self.repetitions,
            "sizes": dict(self.sizes),
            "overhead": self.overhead,
            "parts": parts,
        }
        if self.check is not None:
            document["check"] = asdict(self.check)
        return json_text(document, indent=1) + "\n"


def read_profile(path: str | PathLike[str]) -> Profile:
    """The profile in a JSON file; raises DiagnosticError where it is none."""
    text = read_text(path, LONGEST_PROFILE)
    return _profile(read_record(text, fspath(path), _KIND))


def _profile(found: Mapping[str, Any]) -> Profile:
    return Profile(
        name=found["name"],
        overhead=float(found["overhead"]),
        milliseconds={p["key"]: float(p["milliseconds"]) for p in found["parts"]},
        names={p["key"]: p["name"] for p in found["parts"]},
        threads=found["threads"],
        repetitions=found.get("repetitions", 1),
        sizes=found["sizes"],
        machine=found["machine"],
        versions=found["versions"],
        check=Check(**found["check"]) if "check" in found else None,
    )
