"""Networks that train as one Program, each as it would alone.

What each of them is (its weights, the state of its optimiser) goes in and comes out under the names
that it has alone, so that one may leave, and go on with others or by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...compiler.graph.build import build
from ...compiler.lowering.lower import lower
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ...compiler.program.draws import with_draws
from ...compiler.program.hoist import Hoisted, hoist
from ...compiler.program.initial import initial_values
from ...compiler.program.join import join, member_name
from ...compiler.program.program import Program
from ..settings import Settings
from .optimisers import Moments, WeightOptimiser
from .prepare import module_of

State = dict[str, Any]
NUMBER_BYTES = 4
MEMORY_SHARE = 0.5
"""The share of free memory that networks may take that train together."""
WORTHWHILE = 1 << 29
"""Bytes above which networks train no faster together on a CPU, whose caches they leave."""
LIKELY = 4 << 30
KEPT = 2.5
"""How many times a step's values are in memory at once: forward, backward, and some in between."""


def member_program(network: Network) -> Hoisted:
    """What a network computes in training beside others, and what of it is computed before."""
    return hoist(optimise(lower(build(network)), "member"))


class Population:
    """The module of several networks; `programs` are what each computes, without its draws.

    Networks that are `apart` have samples of their own, and `seeds` of their own initial values.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        settings: Settings,
        device: torch.device,
        *,
        apart: bool = False,
        seeds: Sequence[int] | None = None,
    ) -> None:
        self.programs = programs
        self.names = [str(place) for place in range(len(programs))]
        keyed = [with_draws(program) for program in programs]
        joined = join(dict(zip(self.names, keyed, strict=True)), apart=apart)
        joint = optimise(joined, "population")
        self.module = module_of(joint, settings, device)
        for place, program in enumerate(programs):
            seed = settings.seed if seeds is None else seeds[place]
            self.load(place, initial_values(program, seed))

    def __len__(self) -> int:
        return len(self.programs)

    @cached_property
    def _rows(self) -> Mapping[str, tuple[str, int | None]]:
        """By the name of a member's parameter, the parameter that holds it, and its row there."""
        places: dict[str, tuple[str, int | None]] = {}
        for spec in self.module.program.parameters:
            if spec.rows:
                places |= {name: (spec.name, row) for row, name in enumerate(spec.rows)}
            else:
                places[spec.name] = spec.name, None
        return places

    def parameters(self, member: int) -> Mapping[str, tuple[str, int | None]]:
        """By the name of a member's parameter alone, where it is held: a name, and a row."""
        prefix = self.names[member]
        return {
            spec.name: self._rows[member_name(prefix, spec.name)]
            for spec in self.programs[member].parameters
        }

    @torch.no_grad()
    def load(self, member: int, arrays: Mapping[str, Any]) -> None:
        """Copies a member's weights and statistics, arrays or tensors, those that are given."""
        state = self.module.state_dict()
        for name, (held, row) in self.parameters(member).items():
            if name in arrays:
                target = state[held] if row is None else state[held][row]
                target.copy_(torch.as_tensor(arrays[name]))

    def tensors(self, member: int) -> dict[str, Tensor]:
        """Copies of a member's weights and statistics, by name, on the CPU."""
        state = self.module.state_dict()
        return {
            name: (state[held] if row is None else state[held][row])
            .detach().cpu().clone()
            for name, (held, row) in self.parameters(member).items()
        }  # fmt: skip


def bytes_of(program: Program, batch: int) -> int:
    """The memory that a step of a network takes at most, from the sizes of what it computes."""
    values = sum(v.type.elements() for v in program.values if v.type.batched)
    numbers = sum(spec.elements for spec in program.parameters)
    return int(NUMBER_BYTES * (KEPT * batch * values + 4 * numbers))


def affordable(device: torch.device) -> float:
    """The bytes that a population on a device may take."""
    share = MEMORY_SHARE * free_memory(device)
    return min(share, WORTHWHILE) if device.type == "cpu" else share


def free_memory(device: torch.device) -> int:
    """The bytes that can be had on a device; what is likely, where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration):
        return LIKELY


class PopulationOptimiser(WeightOptimiser):
    """Steps the weights of every member; the state of each is what it is alone."""

    def __init__(
        self,
        population: Population,
        settings: Settings,
        batches: int,
        members: Sequence[int],
        seeds: Sequence[int] | None = None,
    ) -> None:
        super().__init__(population.module, settings, batches, members, seeds)
        self.population = population

    def member_state(self, member: int) -> State:
        """What `WeightOptimiser.restore` goes on from for a member alone."""
        state, moments = self.state(), dict[str, Moments]()
        for name, (held, row) in self.population.parameters(member).items():
            if held in state["moments"]:
                moments[name] = {
                    key: one if row is None or key == "step" else one[row].clone()
                    for key, one in state["moments"][held].items()
                }
        return {**state, "moments": moments}

    def restore_members(self, states: Sequence[State]) -> None:
        """Goes on from the states of all members, which have taken equally many steps.

        One that moves no parameter has no schedule; then it is that of another.
        """
        rows: dict[str, dict[int | None, Moments]] = {}
        for member, state in enumerate(states):
            for name, (held, row) in self.population.parameters(member).items():
                if name in state["moments"]:
                    rows.setdefault(held, {})[row] = state["moments"][name]
        moments = {held: _joined(of_rows) for held, of_rows in rows.items()}
        first = next((state for state in states if state["schedule"]), states[0])
        self.restore({**first, "moments": moments})


def _joined(rows: Mapping[int | None, Moments]) -> Moments:
    """The moments of a parameter from those of its rows; the whole has none."""
    if None in rows:
        return rows[None]
    ordered = [rows[row] for row in sorted(row for row in rows if row is not None)]
    stacked = {k: torch.stack([one[k] for one in ordered]) for k in ordered[0] if k != "step"}
    return {"step": ordered[0]["step"], **stacked}
