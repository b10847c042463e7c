"""Networks that train as one Program, each as it would alone.

What each of them is (its weights, the state of its optimiser) goes in and comes out under the names
that it has alone, so that one may leave, and go on with others or by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from math import inf
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam

from ...compiler.graph.build import build
from ...compiler.lowering.lower import lower
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ...compiler.program.draws import with_draws
from ...compiler.program.hoist import NOT_APART, Hoisted, hoist
from ...compiler.program.initial import initial_values
from ...compiler.program.join import join, member_name, member_of
from ...compiler.program.program import ParameterSpec, Program
from ..data.batches import Batch
from ..fields import MOVING
from ..settings import Settings
from .averages import newest_share
from .modality_dropout import ModalityDropout
from .objective import Smoothing
from .optimisers import Optimiser, WeightOptimiser, shortened
from .prepare import module_of
from .rows import MemberRows
from .saved import Moments
from .schedule import rate_at

State = dict[str, Any]
OWN = ("seed", *MOVING)
"""Settings that members of a population may have of their own."""


def member_program(
    network: Network, dropout: ModalityDropout | None = None, program: Program | None = None
) -> Hoisted:
    """What a network computes in training beside others, and what of it is computed before.

    `program` is the network's before any pass, where there is one already.
    """
    program = optimise(program or lower(build(network)), "member")
    return hoist(program, dropout.owners if dropout else NOT_APART)


class Population:
    """The module of several networks; `programs` are what each computes, without its draws.

    Each has settings of its own: those in `OWN` may differ. With `samples`, inputs are stacks, as
    `Parts` gives them, and those numbers say which part each network learns from.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        each: Sequence[Settings],
        device: torch.device,
        samples: Sequence[int] | None = None,
    ) -> None:
        self.programs, self.each, self.device = programs, each, device
        self.samples = None if samples is None else torch.tensor([*samples], device=device)
        self.names = [str(place) for place in range(len(programs))]
        keyed = [with_draws(program) for program in programs]
        joint = optimise(join(dict(zip(self.names, keyed, strict=True)), samples), "population")
        self.module = module_of(joint, each[0], device, batch=0)  # they fit: `parts_that_fit`
        for place, (program, settings) in enumerate(zip(programs, each, strict=True)):
            self.load(place, initial_values(program, settings.seed))

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

    def members(self, held: str) -> list[int]:
        """The member of each row of a parameter, or that of the whole."""
        spec = self._specs[held]
        return [int(member_of(name)) for name in spec.rows or (spec.name,)]

    def rows(self, tensors: Mapping[str, Tensor]) -> MemberRows:
        """Whose the rows are of tensors that stand for parameters by name."""
        members = [self.members(name) for name in tensors]
        return MemberRows(members, [*tensors.values()], len(self), self.device)

    @cached_property
    def _specs(self) -> Mapping[str, ParameterSpec]:
        return {spec.name: spec for spec in self.module.program.parameters}

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


class PopulationOptimiser(WeightOptimiser):
    """Steps the weights of every member; the state of each is what it is alone.

    Where members have rates or penalties of their own, Adam takes a step at the highest rate, of
    which each row of a parameter keeps its member's share.
    """

    def __init__(self, population: Population, batches: int, numbers: Sequence[int]) -> None:
        """An epoch has so many `batches`; the members draw by their `numbers`."""
        self.population, self.each = population, population.each
        super().__init__(population.module, self.each[0], batches)
        self.keys = self.keys_of(self.each, numbers)
        self._differ = len({tuple(getattr(one, n) for n in MOVING) for one in self.each}) > 1
        longest = [one.clipping or inf for one in self.each]
        self._longest = torch.tensor(longest, dtype=torch.float64, device=self.device)
        smoothing = [one.smoothing for one in self.each]
        self._smoothing = torch.tensor(smoothing, dtype=torch.float64, device=self.device)
        self._rows = population.rows(dict(zip(self.names, self.parameters, strict=True)))
        self._averaged_rows = population.rows(self.averages.held)
        if self._differ and self.adam is not None:
            self.adam.param_groups[0]["weight_decay"] = 0.0
            self._penalties = self._rows.shares([one.weight_decay for one in self.each])

    @property
    def rate(self) -> float:
        return max(self._rates())

    def _rates(self) -> list[float]:
        return [rate_at(one, self.batches, self.steps) for one in self.each]

    @property
    def averages_weights(self) -> bool:
        return any(one.averaging for one in self.each)

    def newest_shares(self) -> Iterable[Tensor | float]:
        if len({one.averaging for one in self.each}) == 1:
            return super().newest_shares()
        shares = [newest_share(one.averaging, self.steps) for one in self.each]
        return self._averaged_rows.shares(shares)

    def labels_of(self, batch: Batch) -> Tensor:
        samples = self.population.samples
        return batch.labels if samples is None else batch.labels[samples]

    @property
    def smoothing(self) -> Smoothing:
        return self._smoothing if any(one.smoothing for one in self.each) else 0.0

    @torch.no_grad()
    def move(self, adam: Adam) -> None:
        if not self._differ:
            super().move(adam)
            return
        self.shorten(adam)
        rates, highest = self._rates(), self.rate or 1.0
        pairs = zip(rates, self.each, strict=True)
        kept = self._rows.shares([1 - rate * one.decoupled_decay for rate, one in pairs])
        every = zip(self.parameters, kept, self._penalties, strict=True)
        for parameter, share, penalty in every:
            parameter.mul_(share)
            if parameter.grad is not None:
                parameter.grad.addcmul_(parameter, penalty)
        before = [parameter.clone() for parameter in self.parameters]
        Optimiser.move(self, adam)
        shares = self._rows.shares([rate / highest for rate in rates])
        for parameter, start, share in zip(self.parameters, before, shares, strict=True):
            torch.lerp(start, parameter, share, out=parameter)

    def shorten(self, adam: Adam) -> None:
        if not any(one.clipping for one in self.each):
            return
        lengths = self._rows.lengths([p.grad for p in self.parameters])
        shares = self._rows.shares(shortened(lengths, self._longest.to(lengths)))
        for parameter, share in zip(self.parameters, shares, strict=True):
            if parameter.grad is not None:
                parameter.grad.mul_(share)

    def member_states(self) -> Iterator[State]:
        """What `WeightOptimiser.restore` goes on from for each member alone."""
        state = self.state()
        for member, settings in enumerate(self.each):
            moments, averages = dict[str, Moments](), dict[str, Tensor]()
            for name, (held, row) in self.population.parameters(member).items():
                if held in state["moments"]:
                    moments[name] = {
                        key: one if row is None or key == "step" else one[row].clone()
                        for key, one in state["moments"][held].items()
                    }
                if settings.averaging:
                    whole = state["averages"][held]
                    averages[name] = whole if row is None else whole[row].clone()
            yield {**state, "moments": moments, "averages": averages}

    def restore_members(self, states: Sequence[State]) -> None:
        """Goes on from the states of all members, which have taken equally many steps.

        The population has their weights already.
        """
        rows: dict[str, dict[int | None, Moments]] = {}
        averages = {name: one.cpu().clone() for name, one in self.averages.held.items()}
        for member, state in enumerate(states):
            for name, (held, row) in self.population.parameters(member).items():
                if name in state["moments"]:
                    rows.setdefault(held, {})[row] = state["moments"][name]
                if name in state["averages"]:
                    whole = averages[held]
                    (whole if row is None else whole[row]).copy_(state["averages"][name])
        moments = {
            held: _joined(of_rows)
            for held, of_rows in rows.items()
            if len(of_rows) == len(self.population.members(held))
        }
        self.restore({**states[0], "moments": moments, "averages": averages})


def _joined(rows: Mapping[int | None, Moments]) -> Moments:
    """The moments of a parameter from those of its rows; the whole has none."""
    if None in rows:
        return rows[None]
    ordered = [rows[row] for row in sorted(row for row in rows if row is not None)]
    stacked = {k: torch.stack([one[k] for one in ordered]) for k in ordered[0] if k != "step"}
    return {"step": ordered[0]["step"], **stacked}
