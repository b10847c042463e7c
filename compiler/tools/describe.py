"""What `info` says of a specification: its size, its holes, its space."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from ..check.check import checked
from ..graph.build import build
from ..language.nodes import Budget, NumberHole
from ..language.printer import bound
from ..language.spec import Spec
from ..lowering.lower import lower
from ..measure.architectures import count_architectures, count_inputs
from ..measure.memory import TRAINING_USES, Memory, learned, training_memory
from ..measure.sizes import count_bytes, count_macs, count_parameters, count_read
from ..network.network import Network, NetworkStep, Slot
from ..passes import Stage, optimise, passes
from ..program.program import Program
from ..system.memory import memory_text

BATCH = 96
"""Samples in the batch that bytes are counted for, as in Table 8."""


class Machine(Protocol):
    """What predicts the latency of networks on some machine."""

    def predicted(self, network: Network, program: Program | None = None) -> float:
        """What a network without holes will take, in milliseconds."""
        ...

    def require(self, budget: Budget) -> None:
        """Raises DiagnosticError where a budget is stated on another machine."""
        ...


def describe(spec: Spec, machine: Machine | None = None) -> dict[str, Any]:
    """The facts about a specification as JSON-like data; raises DiagnosticError if it is wrong.

    Parameters are those of what the output reaches; multiply-adds are for one sample, an axis
    known only at run time counting as 1. In a search space both are the hypernet's; of choices of
    numbers and roles, which architectures count all of, everything else is that of the first
    candidates. With a `machine`, a network has a latency, in milliseconds.
    """
    network = checked(spec)
    program = lower(build(network))
    architectures = count_architectures(network)
    holes = [hole for cell in network.cells for hole in cell.holes]
    return {
        "network": network.name,
        "kind": "search space" if network.has_holes else "network",
        "numbers": {**network.numbers, **_open_numbers(network)},
        "choices": {
            h.place: list(h.candidates) for h in network.global_holes if h.kind != "number"
        },
        "predict": _predicted(network),
        "modalities": {m.name: [f.name for f in m.features] for m in network.spec.modalities},
        "cells": len(network.cells),
        "steps": sum(len(c.steps) for c in network.cells),
        "holes": {
            "inputs": sum(isinstance(hole, Slot) for hole in holes),
            "operations": sum(isinstance(hole, NetworkStep) for hole in holes),
            "outputs": sum(slot.open for slot in network.outputs),
        },
        "rule": network.rule,
        "parameters": count_parameters(program),
        "architecture_parameters": count_parameters(program, "architecture"),
        "macs": count_macs(optimise(program, "inference")),
        "memory": {"batch": BATCH, **memory_in_training(program).as_json()},
        **_latency(network, machine),
        "architectures": {"count": str(architectures), **architectures.as_json()},
        "cell_inputs": str(count_inputs(network)),
        "unused_features": _unused(network, program),
        "budgets": [_budget(b, network, program, machine) for b in network.budgets],
    }


def describe_passes(spec: Spec, stage: Stage) -> list[dict[str, Any]]:
    """What each pass of a stage leaves: values, numbers in parameters, multiply-adds of a sample,
    and bytes that a batch of `BATCH` moves.

    The first row, `lowering`, is what they begin with; each pass takes what the one before it left.
    """
    program = lower(build(checked(spec)))
    rows = [_sizes("lowering", program)]
    for name, run in passes(stage).items():
        program = run(program)
        rows.append(_sizes(name, program))
    return rows


def _sizes(name: str, program: Program) -> dict[str, Any]:
    return {
        "pass": name,
        "values": sum(v.record is not None for v in program.values),
        "parameters": count_read(program),
        "macs": count_macs(program),
        "bytes": count_bytes(program, BATCH),
    }


def passes_table(rows: list[dict[str, Any]]) -> str:
    """The rows as text for a terminal; what a pass did not change is a dot."""
    columns = list(rows[0])
    shown = [columns]
    for before, row in zip([{}, *rows], rows, strict=False):
        cells = [str(row["pass"])]
        cells += ["·" if before.get(c) == row[c] else f"{row[c]:,}" for c in columns[1:]]
        shown.append(cells)
    widths = [max(len(line[i]) for line in shown) for i in range(len(columns))]
    return "\n".join(
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in shown
    )


def _predicted(network: Network) -> dict[str, Any]:
    """What is predicted; where heads have names, of each of them."""
    heads = [
        {
            "name": one.name,
            "reads": list(one.reads),
            "weight": one.head.weight,
            "loss": one.head.loss,
            "count": one.head.count,
            "kind": one.head.kind,
        }
        for one in network.heads
    ]
    said = {"count": network.head.count, "kind": network.head.kind}
    return {**said, "heads": heads} if heads else said


def _predictions(predict: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"predict {one['name']}" if "name" in one else "predict", f"{one['count']} {one['kind']}")
        for one in predict.get("heads", [predict])
    ]


def summary(described: dict[str, Any]) -> str:
    """The description as text for a terminal."""
    holes = described["holes"]
    rows = [
        (described["kind"], described["network"]),
        ("numbers", ", ".join(f"{k} = {_number(v)}" for k, v in described["numbers"].items())),
        *(("choice", f"{place} = {_any(c)}") for place, c in described["choices"].items()),
        *_predictions(described["predict"]),
        *((f"modality {name}", ", ".join(f)) for name, f in described["modalities"].items()),
        ("unused features", ", ".join(described["unused_features"]) or "none"),
        ("cells and steps", f"{described['cells']} and {described['steps']}"),
        ("holes", ", ".join(_holes(holes))),
        ("rule", described["rule"]),
        ("architectures", described["architectures"]["count"]),
        ("parameters", f"{described['parameters']:,}"),
        ("architecture parameters", f"{described['architecture_parameters']:,}"),
        ("multiply-adds", f"{described['macs']:,} for one sample"),
        ("memory", _memory(described["memory"])),
        *(("latency", f"{ms:.3g} ms, predicted") for ms in [described.get("latency")] if ms),
        *(("budget", f"{b['budget']}: {b['verdict']}") for b in described["budgets"]),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def memory_in_training(program: Program) -> Memory:
    """What training takes for a batch of `BATCH`, without the data."""
    return training_memory(learned(program), BATCH)


def _memory(memory: Mapping[str, Any]) -> str:
    parts = (f"{memory_text(memory[use])} {use}" for use in TRAINING_USES)
    total, batch = memory_text(memory["total"]), memory["batch"]
    return f"{total} to train a batch of {batch}: {', '.join(parts)}"


def _open_numbers(network: Network) -> dict[str, dict[str, list[int | float]]]:
    header = network.space.network
    numbers = header.numbers if header else ()
    return {k: {"any": list(v.candidates)} for k, v in numbers if isinstance(v, NumberHole)}


def _number(value: Any) -> str:
    return _any(value["any"]) if isinstance(value, dict) else str(value)


def _any(candidates: Iterable[object]) -> str:
    return f"{{{' | '.join(map(str, candidates))}}}"


def _unused(network: Network, program: Program) -> list[str]:
    read = {item.name for item in program.inputs}
    return [f.name for f in network.features if f.name not in read]


def _holes(holes: Mapping[str, int]) -> Iterator[str]:
    """How many holes there are of each kind; those of the output where it has any."""
    for what, count in holes.items():
        if count or what != "outputs":
            yield f"{count} {what}"


def _latency(network: Network, machine: Machine | None) -> dict[str, float]:
    """The latency of a network on a machine; nothing where either has none."""
    if machine is None:
        return {}
    for budget in network.budgets:
        machine.require(budget)
    if network.has_holes:
        return {}
    return {"latency": machine.predicted(network)}


def _budget(
    budget: Budget, network: Network, program: Program, machine: Machine | None
) -> dict[str, str]:
    shown = f"{budget.quantity} {bound(budget, f'{budget.limit:,}')}"
    if network.has_holes:
        return {"budget": shown, "verdict": "what a search finds keeps within it"}
    if budget.quantity == "latency" and machine is None:
        return {"budget": shown, "verdict": "not known without a profile"}
    value: float
    match budget.quantity:
        case "parameters":
            value = count_parameters(program)
        case "macs":
            value = count_macs(optimise(program, "inference"))
        case _:
            assert machine is not None
            value = machine.predicted(network)
    number = f"{value:.3g} ms, predicted" if budget.quantity == "latency" else f"{value:,}"
    return {"budget": shown, "verdict": f"{'met' if budget.met(value) else 'exceeded'} by {number}"}
