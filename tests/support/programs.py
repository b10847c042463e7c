"""Random well-formed programs: every kind of feature, hole, Cell, library and head.

Operations are found in the libraries, so that one added there is tried here by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from fusewright.compiler.check.check import check, checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.language import expression as x
from fusewright.compiler.language.nodes import (
    HEAD_KINDS,
    Budget,
    Cell,
    CellInput,
    Definition,
    Feature,
    FeatureAxis,
    Hole,
    Modality,
    NetworkHeader,
    Operation,
    Others,
    Output,
    Possibly,
    Predict,
    Reference,
    RuleRequirement,
    Slot,
    Step,
    Use,
)
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.holes import Relaxation
from fusewright.compiler.network.vocabulary import library, library_names, select
from fusewright.compiler.program.initial import initial_values
from fusewright.compiler.program.program import Program

SHAPES: Sequence[Sequence[tuple[str, int | str]]] = (
    (("c", 3),),
    (("t", 5), ("c", 4)),
    (("c", 2), ("t", 3)),
    (("t", "*"), ("c", 3)),
    (("c", 3), ("h", 4), ("w", 5)),
    (("h", 3), ("w", 2), ("c", 5)),
    (("c", 2), ("t", 4), ("h", 2), ("w", 3)),
    (("c", 3), ("h", "*"), ("w", "*")),
    (("c", 2), ("t", "*"), ("w", "*")),
    (("w", 7), ("c", 2)),
)
ODD_NAMES = ("Video 3", "step.one", "return", "x y.z%", "training", "1e5", "null", "naïve", '"')
OPERATORS: Sequence[x.Operator] = ("+", "-", "*")
INITIALS: Sequence[str | float] = ("ones", 0.5, -2)
ONE_INPUT = ("relu", "tanh", "sigmoid", "silu", "gelu", "abs", "layernorm", "batchnorm", "dropout")


@st.composite
def names(draw: st.DrawFn, plain: str, taken: set[str]) -> str:
    """A name that is not taken: mostly a plain one, sometimes one that needs backticks."""
    name = draw(st.sampled_from(ODD_NAMES)) if draw(st.integers(0, 9)) == 0 else plain
    number = 1
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name)
    return name


@st.composite
def expressions(draw: st.DrawFn, inputs: Sequence[str], depth: int = 3) -> x.Expression:
    """An equation over `inputs` that takes and gives the inner shape."""
    if depth == 0:
        return x.Name(draw(st.sampled_from(inputs)))
    inner = expressions(inputs, depth - 1)
    kind = draw(
        st.sampled_from(("input", "call", "binary", "linear", "concat", "append", "mean", "attend"))
    )
    match kind:
        case "call":
            return x.Call(draw(st.sampled_from(ONE_INPUT)), (draw(inner),))
        case "binary":
            operator = draw(st.sampled_from(OPERATORS))
            right = draw(st.one_of(inner, st.sampled_from((x.Number(0.5), x.Number(2)))))
            return x.Binary(operator, draw(inner), right)
        case "linear":
            weight = x.Parameter("W", (x.Name("C"), x.Name("C")))
            return x.Binary(
                "+", x.Binary("@", draw(inner), weight), x.Parameter("b", (x.Name("C"),))
            )
        case "concat":
            joined = x.Call("concat", (draw(inner), draw(inner)))
            return x.Binary("@", joined, x.Parameter("V", (x.Name("_"), x.Name("C"))))
        case "append":
            longer = x.Call("append", (draw(inner), draw(inner)))
            return x.Binary("*", draw(inner), x.Call("first", (longer,)))
        case "mean":
            over = (("over", x.Name(draw(st.sampled_from(("length", "channels"))))),)
            return x.Binary("*", draw(inner), x.Call("mean", (draw(inner),), over))
        case "attend":
            value = draw(inner)
            return x.Call("attention", (draw(inner), value, value))
        case _:
            return x.Negative(draw(inner)) if draw(st.booleans()) else draw(inner)


@st.composite
def definitions(draw: st.DrawFn, count: int) -> Definition:
    """An operation of the specification's own, over so many inputs."""
    inputs = ("x", "y", "z")[:count]
    if draw(st.booleans()):
        return Definition("Own", inputs, x.Body(draw(expressions(inputs))))
    scale = x.Parameter("s", (x.Name("C"),), draw(st.sampled_from(INITIALS)))
    first = x.Assignment("part", draw(expressions(inputs, 2)))
    result = x.Binary("*", draw(expressions((*inputs, "part"), 2)), x.Name("s"))
    return Definition("Own", inputs, x.Body(result, (scale, first)))


def operations(spec: Spec, count: int) -> list[Operation]:
    """Every operation that a specification can name for so many inputs."""
    own = [Operation(d.name) for d in spec.definitions if not d.role and d.takes(count)]
    several = len(spec.uses) > 1
    found = [
        Operation(f"{use.library}.{name}" if several else name)
        for use in spec.uses
        for name, overloads in library(use.library).operations.items()
        if select(overloads, count)
    ]
    heads = (Operation("MHA", (("heads", 2),)), Operation("MHA", (("heads", 1),)))
    return own + found + (list(heads) if spec.uses[-1].library == "fusion" and not several else [])


@st.composite
def slots(draw: st.DrawFn, visible: Sequence[str], open_slots: bool) -> Slot:
    fixed = Reference(draw(st.sampled_from(visible)))
    if not open_slots:
        return fixed
    some = st.lists(st.sampled_from(visible), min_size=1, max_size=3, unique=True)
    restricted = Hole(tuple(Reference(n) for n in draw(some)))
    kinds: Sequence[Slot] = (fixed, Hole(), Hole(), restricted)
    return draw(st.sampled_from(kinds))


@st.composite
def steps(draw: st.DrawFn, spec: Spec, inputs: Sequence[str], holes: bool) -> tuple[Step, ...]:
    visible, taken = list(inputs), set(inputs)
    made = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        count = draw(st.integers(1, min(3, len(visible))))
        candidates = operations(spec, count)
        operation: Operation | Hole = draw(st.sampled_from(candidates))
        if holes and draw(st.booleans()):
            some = st.lists(st.sampled_from(candidates), min_size=1, max_size=3, unique=True)
            operation = Hole(tuple(draw(some))) if draw(st.booleans()) else Hole()
        chosen = tuple(draw(slots(visible, holes)) for _ in range(count))
        family = 2 if holes and draw(st.integers(0, 4)) == 0 else None
        name = draw(names(f"Step_{number}" if family is None else f"Family{number}", taken))
        made.append(Step(name, operation, chosen, family))
        new = [name] if family is None else [f"{name}_{i}" for i in (1, 2)]
        visible += new
        taken |= set(new)
    return tuple(made)


@st.composite
def cells(draw: st.DrawFn, spec: Spec, holes: bool) -> tuple[Cell, ...]:
    visible = [f.name for m in spec.modalities for f in m.features]
    taken = {*visible, "output", "head"}
    made = []
    for number in range(1, draw(st.integers(0, 3)) + 1):
        count = draw(st.integers(1, 3))
        named = draw(st.booleans())
        inner = ("query", "key", "value")[:count] if named else ("x", "y", "z")[:count]
        inputs = tuple(
            CellInput(draw(slots(visible, holes)), name if named else None) for name in inner
        )
        family = 2 if holes and draw(st.integers(0, 3)) == 0 else None
        name = draw(names(f"Cell_{number}" if family is None else f"Cells{number}", taken))
        body = draw(steps(spec, inner, holes))
        returned = None
        single = [s.name for s in body if s.count is None]
        if single and draw(st.integers(0, 2)) == 0:
            chosen = draw(st.lists(st.sampled_from(single), min_size=1, unique=True))
            returned = tuple(Reference(n) for n in chosen)
        made.append(Cell(name, inputs, body, family, returned))
        new = [name] if family is None else [f"{name}_{i}" for i in (1, 2)]
        visible += new
        taken |= set(new)
    return tuple(made)


@st.composite
def modalities(draw: st.DrawFn) -> tuple[Modality, ...]:
    taken: set[str] = set()
    made = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        features = []
        for _ in range(draw(st.integers(1, 3))):
            axes = draw(st.sampled_from(SHAPES))
            name = draw(names(f"Feature_{len(taken) + 1}", taken))
            at = draw(st.sampled_from((None, "layer.4", 'a "quoted" \\ path')))
            features.append(Feature(name, tuple(FeatureAxis(n, s) for n, s in axes), at))
        backbone = draw(st.sampled_from((None, "torchvision:vgg19")))
        optional = draw(st.integers(0, 3)) == 0
        made.append(Modality(f"modality_{number}", tuple(features), backbone, optional))
    return tuple(made)


@st.composite
def written_specs(draw: st.DrawFn, holes: bool = True) -> Spec:
    """A Spec that can be written down, whether or not its rules can be met."""
    numbers: tuple[tuple[str, int | float], ...] = (
        ("C", draw(st.sampled_from((4, 8)))),
        ("L", draw(st.sampled_from((1, 2, 3, 4, 6, 9)))),
    )
    if draw(st.booleans()):
        numbers += (("dropout", draw(st.sampled_from((0, 0.1, 1e-05)))),)
    whole = [name for name in library_names() if library(name).roles]
    libraries = st.lists(st.sampled_from(whole), min_size=1, max_size=2, unique=True)
    spec = Spec(
        network=NetworkHeader(draw(st.sampled_from(("n", "my net"))), numbers),
        version=draw(st.sampled_from((None, 1))),
        uses=tuple(Use(name) for name in draw(libraries)),
        definitions=tuple(
            draw(definitions(c)) for c in ((1, 2, 3) if draw(st.booleans()) else (1, 3))
        ),
        modalities=draw(modalities()),
    )
    everything = [f.name for m in spec.modalities for f in m.features]
    made = draw(cells(spec, holes))
    visible = everything + [c.name for c in made if c.count is None]
    outputs = None
    if not made or draw(st.integers(0, 2)) == 0:
        chosen = draw(st.lists(st.sampled_from(visible), min_size=1, unique=True))
        outputs = draw(output_holes(chosen)) if holes else tuple(map(Reference, chosen))
    pool = None
    if holes:
        every = [*operations(spec, 1), *operations(spec, 2), *operations(spec, 3)]
        some = st.lists(st.sampled_from(every), min_size=1, max_size=4, unique=True)
        needed = [operations(spec, count)[0] for count in (1, 2, 3)]
        pool = tuple(dict.fromkeys([*draw(some), *needed]))
    requirements: list[RuleRequirement | Budget] = []
    if draw(st.booleans()):
        requirements.append(
            RuleRequirement(draw(st.sampled_from(("distinct_pairs", "fresh_input"))))
        )
    if draw(st.integers(0, 3)) == 0:
        requirements.append(Budget("parameters", draw(st.sampled_from((10**6, 1234, 2.5))), True))
    if draw(st.integers(0, 3)) == 0:
        on = draw(st.sampled_from((None, "laptop", "on", "my machine")))
        requirements.append(Budget("latency", draw(st.sampled_from((2, 0.5))), False, on))
    heads = draw(named_heads(visible)) if draw(st.integers(0, 3)) == 0 else ()
    return Spec(
        network=spec.network,
        version=spec.version,
        uses=spec.uses,
        definitions=spec.definitions,
        modalities=spec.modalities,
        pool=pool,
        cells=made,
        outputs=outputs,
        requirements=tuple(requirements),
        predict=None if heads else draw(predictions()),
        heads=heads,
    )


@st.composite
def predictions(draw: st.DrawFn) -> Predict:
    """What a head predicts."""
    count = draw(st.integers(1, 4))
    named = tuple(f"k{i}" for i in range(count)) if draw(st.booleans()) else None
    return Predict(count, draw(st.sampled_from(HEAD_KINDS)), named)


@st.composite
def named_heads(draw: st.DrawFn, visible: Sequence[str]) -> tuple[Predict, ...]:
    """Heads that read the output, or some of what is visible; the last may decide by the others."""
    names, heads = ("left", "my head", "labels_"), list[Predict]()
    for name in names[: draw(st.integers(1, 3))]:
        some = st.lists(st.sampled_from(visible), max_size=2, unique=True)
        reads = tuple(map(Reference, draw(some)))
        weight = draw(st.sampled_from((None, 0.5, 2)))
        head = replace(draw(predictions()), name=name, reads=reads, weight=weight)
        loss = "evidential" if head.kind == "classes" and draw(st.booleans()) else None
        heads.append(replace(head, loss=loss))
    if draw(st.booleans()):
        reads = tuple(Reference(str(h.name)) for h in heads[:1])
        heads.append(replace(heads[0], name="decides", reads=reads))
    return tuple(heads)


@st.composite
def output_holes(draw: st.DrawFn, chosen: list[str]) -> tuple[Output, ...]:
    """Places of an output, some of which are open."""
    if draw(st.booleans()):
        return tuple(map(Reference, chosen))
    places: list[Output] = [
        Possibly(Reference(name)) if draw(st.booleans()) else Reference(name) for name in chosen
    ]
    if len(chosen) > 1 and draw(st.booleans()):
        hole = Hole(tuple(map(Reference, chosen)))
        return (Possibly(hole), hole) if draw(st.booleans()) else (hole,)
    if draw(st.booleans()):
        more: list[Output] = [Hole(), Possibly(Hole()), Possibly(Others())]
        places.append(draw(st.sampled_from(more)))
    return tuple(places)


@st.composite
def specs(draw: st.DrawFn, holes: bool = True) -> Spec:
    """A Spec that `check` accepts."""
    spec = draw(written_specs(holes))
    assume(not any(d.is_error for d in check(spec)))
    return spec


def whole(text: str) -> str:
    """A text of the language with a head, where it has none."""
    return text if "predict" in text else f"{text} predict 3 classes"


def lowered(spec: Spec, relax: Relaxation) -> Program:
    """The Program of a specification before any pass."""
    return lower(build(checked(spec)), relax)


def random_weights(program: Program, seed: int) -> dict[str, NDArray[Any]]:
    """Weights away from their initial values; variances stay positive."""
    generator = np.random.default_rng(seed)
    weights = dict(initial_values(program, seed))
    for name, array in weights.items():
        noise = generator.normal(0, 0.3, array.shape).astype(np.float32)
        weights[name] = np.abs(array + noise) + 0.1 if name.endswith("variance") else array + noise
    return weights


def random_inputs(program: Program, batch: int, seed: int) -> Mapping[str, NDArray[Any]]:
    """Features, and now and then lengths and presence."""
    generator = np.random.default_rng(seed)
    inputs: dict[str, NDArray[Any]] = {}
    for item in program.inputs:
        if item.kind == "feature":
            sizes = [
                int(generator.integers(1, 9)) if a.size is None else a.size for a in item.type.axes
            ]
            inputs[item.name] = generator.normal(size=(batch, *sizes)).astype(np.float32)
        elif generator.random() < 0.5:
            continue
        elif item.kind == "presence":
            inputs[item.name] = generator.integers(0, 2, batch)
        else:
            feature = item.name.removesuffix(".lengths")
            axis = next(i for i in program.inputs if i.name == feature).type.names.index("t")
            inputs[item.name] = generator.integers(1, inputs[feature].shape[axis + 1] + 1, batch)
    return inputs


def without_dropout(program: Program) -> Program:
    """The program with every dropout rate 0, so that training mode is deterministic."""
    values = tuple(
        replace(v, attributes=(("rate", 0.0),)) if v.primitive == "dropout" else v
        for v in program.values
    )
    return replace(program, values=values)
