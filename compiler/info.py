"""What `info` says of a specification: its size, its holes, its space."""

from __future__ import annotations

from typing import Any

from .check import checked
from .count import count_architectures, count_inputs
from .graph import build
from .lower import lower
from .measure import count_macs, count_parameters
from .network import Network, NetworkCell
from .passes import optimise
from .program import Program
from .spec import Budget, Spec


def describe(spec: Spec) -> dict[str, Any]:
    """The facts about a specification as JSON-like data; raises DiagnosticError if it is wrong.

    Parameters are those of what the output reaches; multiply-adds are for one sample, an axis
    known only at run time counting as 1. In a search space both are the hypernet's.
    """
    network = checked(spec)
    program = lower(build(network))
    architectures = count_architectures(network)
    return {
        "network": network.name,
        "kind": "search space" if network.has_holes else "network",
        "numbers": dict(network.numbers),
        "predict": {"count": network.head.count, "kind": network.head.kind},
        "modalities": {m.name: [f.name for f in m.features] for m in network.spec.modalities},
        "cells": len(network.cells),
        "steps": sum(len(c.steps) for c in network.cells),
        "holes": {
            "inputs": sum(_open_inputs(c) for c in network.cells),
            "operations": sum(s.open for c in network.cells for s in c.steps),
        },
        "rule": network.rule,
        "parameters": count_parameters(program),
        "architecture_parameters": count_parameters(program, "architecture"),
        "macs": count_macs(optimise(program)),
        "architectures": {"count": str(architectures), **architectures.as_json()},
        "cell_inputs": str(count_inputs(network)),
        "unused_features": _unused(network, program),
        "budgets": [_budget(b, network, program) for b in network.budgets],
    }


def summary(described: dict[str, Any]) -> str:
    """The description as text for a terminal."""
    holes = described["holes"]
    rows = [
        (described["kind"], described["network"]),
        ("numbers", ", ".join(f"{k} = {v}" for k, v in described["numbers"].items())),
        ("predict", f"{described['predict']['count']} {described['predict']['kind']}"),
        *((f"modality {name}", ", ".join(f)) for name, f in described["modalities"].items()),
        ("unused features", ", ".join(described["unused_features"]) or "none"),
        ("cells and steps", f"{described['cells']} and {described['steps']}"),
        ("holes", f"{holes['inputs']} inputs, {holes['operations']} operations"),
        ("rule", described["rule"]),
        ("architectures", described["architectures"]["count"]),
        ("parameters", f"{described['parameters']:,}"),
        ("architecture parameters", f"{described['architecture_parameters']:,}"),
        ("multiply-adds", f"{described['macs']:,} for one sample"),
        *(("budget", f"{b['budget']}: {b['verdict']}") for b in described["budgets"]),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _open_inputs(cell: NetworkCell) -> int:
    slots = [*cell.slots, *(slot for step in cell.steps for slot in step.slots)]
    return sum(slot.open for slot in slots)


def _unused(network: Network, program: Program) -> list[str]:
    read = {item.name for item in program.inputs}
    return [f.name for f in network.features if f.name not in read]


def _budget(budget: Budget, network: Network, program: Program) -> dict[str, str]:
    sign = "<=" if budget.inclusive else "<"
    shown = f"{budget.quantity} {sign} {budget.limit:,}"
    measured = {
        "parameters": lambda: count_parameters(program),
        "macs": lambda: count_macs(optimise(program)),
    }.get(budget.quantity)
    if network.has_holes or measured is None:
        return {"budget": shown, "verdict": "not known before a search and a measurement"}
    value = measured()
    met = value <= budget.limit if budget.inclusive else value < budget.limit
    return {"budget": shown, "verdict": f"{'met' if met else 'exceeded'} by {value:,}"}
