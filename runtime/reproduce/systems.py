"""Networks of the ways to run a row, over the features of a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.language.nodes import (
    Cell,
    CellInput,
    Hole,
    Modality,
    Output,
    Reference,
    Slot,
    Step,
    Use,
)
from ...compiler.language.spec import Spec
from ...compiler.syntax.parse import parse
from ..data.new import example_text
from ..genotypes.sample import random_genotype
from ..search.baselines import late_fusion
from .paper import Alone, Late, System

FOLDER = "systems"
"""Below the examples: the fusion systems of the paper."""
MERGE = "role merge(x, s) = s"
FUSED = "Fused"
"""The Cell that stands for a system which cannot be brought to the features at hand."""


def fixed(way: Alone | Late | System, space: Spec) -> Spec:
    """The network of a way that searches nothing; raises DiagnosticError where there is none."""
    match way:
        case Alone(modality):
            feature = space.modalities[modality].features[-1].name
            return replace(
                space, pool=None, cells=(), outputs=(Reference(feature),), requirements=()
            )
        case Late():
            return late_fusion(space)
        case System():
            return _system(way, space)


def _system(way: System, space: Spec) -> Spec:
    try:
        found = brought(parse(example_text(f"{FOLDER}/{way.name}"), way.name), space)
        checked(found)
    except DiagnosticError:
        if not way.step:
            raise
        return with_step(space, way.step)
    return found


def with_step(space: Spec, step: str) -> Spec:
    """The space's network with one Cell over the last features, in which a Step fuses them."""
    last = [modality.features[-1].name for modality in space.modalities]
    cell = Cell(FUSED, tuple(CellInput(Reference(name)) for name in last), _steps(step)[0])
    return _using(replace(space, pool=None, cells=(cell,), outputs=None, requirements=()))


def other_steps(genotype: Spec, steps: str) -> Spec:
    """A genotype with these Steps in every Cell, which gives what they do and nothing beside."""
    own, returned = _steps(steps)
    cells = tuple(replace(cell, steps=own, returned=returned) for cell in genotype.cells)
    alone = parse(MERGE, "reproduce").definitions
    return _using(replace(genotype, cells=cells, definitions=(*genotype.definitions, *alone)))


def other_features(space: Spec, genotype: Spec, seed: int) -> Spec:
    """A genotype whose Cells take what is drawn at random under the rule of its space."""
    drawn = random_genotype(checked(space), seed)
    pairs = zip(genotype.cells, drawn.cells, strict=True)
    return replace(genotype, cells=tuple(replace(own, inputs=d.inputs) for own, d in pairs))


def _steps(text: str) -> tuple[tuple[Step, ...], tuple[Reference, ...] | None]:
    """Steps, as a Cell has them, and what it returns; an operation alone is one Step."""
    text = text if " = " in text else f"Fuse = {text}"
    (cell,) = parse(f"cell Cell(a, b) {{ {text} }}", "reproduce").cells
    return cell.steps, cell.returned


def _using(spec: Spec) -> Spec:
    """The specification with the libraries that its Steps name; its roles stay those it had."""
    named = {
        str(step.operation.name).partition(".")[0]
        for cell in spec.cells
        for step in cell.steps
        if not isinstance(step.operation, Hole) and "." in str(step.operation.name)
    }
    known = [use.library for use in spec.uses]
    return replace(spec, uses=(*spec.uses, *(Use(n) for n in sorted(named) if n not in known)))


def random_seed(seed: int, stream: int = 7) -> int:
    """A seed apart from those of searches and trainings."""
    return int(np.random.SeedSequence((seed, stream)).generate_state(1)[0])


def used(spec: Spec) -> Spec:
    """A network with the features that it takes alone, and the modalities that have some."""
    network = checked(spec)
    taken = {name for cell in network.cells for slot in cell.slots for name in slot.candidates}
    taken |= {*network.output_candidates, *network.read_by_heads}
    kept = (
        replace(modality, features=tuple(f for f in modality.features if f.name in taken))
        for modality in spec.modalities
    )
    return replace(spec, modalities=tuple(one for one in kept if one.features))


# Features of another data set


def brought(system: Spec, space: Spec) -> Spec:
    """A system over the features of a space, each in the place of one that is as deep.

    Modalities meet in their order. The first and the last feature of one become the first and last
    of the other, those between them the nearest. A system whose C is the number of its classes
    has as many as are predicted here; other numbers are its own. Where the features are the same,
    nothing changes but what is predicted.
    """
    assert system.network is not None
    assert system.predict is not None
    assert space.predict is not None
    numbers = dict(system.network.numbers)
    if numbers.get("C") == system.predict.count:
        assert isinstance(space.predict.count, int)
        numbers["C"] = space.predict.count
    names = _places(system.modalities, space.modalities)
    return replace(
        system,
        network=replace(system.network, numbers=tuple(numbers.items())),
        modalities=space.modalities,
        cells=tuple(_renamed(cell, names) for cell in system.cells),
        outputs=None if system.outputs is None else tuple(_out(o, names) for o in system.outputs),
        predict=space.predict,
    )


def _places(own: Sequence[Modality], others: Sequence[Modality]) -> Mapping[str, str]:
    """The name of another feature for each of one's own."""
    found: dict[str, str] = {}
    for mine, other in zip(own, others, strict=False):
        names = [feature.name for feature in other.features]
        depths = [_depth(feature.name, len(mine.features)) for feature in mine.features]
        deepest = max(depths)
        for feature, depth in zip(mine.features, depths, strict=True):
            if feature.name in names:
                found[feature.name] = feature.name
                continue
            share = (depth - 1) / max(1, deepest - 1) if deepest > 1 else 1.0
            found[feature.name] = names[round(share * (len(names) - 1))]
    return found


def _depth(name: str, count: int) -> int:
    """The number behind a feature's name, from 1; that of the last where there is none."""
    digits = name.rpartition("_")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 3 else count


def _renamed(cell: Cell, names: Mapping[str, str]) -> Cell:
    inputs = tuple(replace(one, slot=_slot(one.slot, names)) for one in cell.inputs)
    return replace(cell, inputs=inputs)


def _slot(slot: Slot, names: Mapping[str, str]) -> Slot:
    return Reference(names.get(slot.name, slot.name)) if isinstance(slot, Reference) else slot


def _out(place: Output, names: Mapping[str, str]) -> Output:
    return _slot(place, names) if isinstance(place, Reference) else place
