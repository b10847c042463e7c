"""Every operation, role and primitive there is, found by itself, in every target.

A new operation of a library, or a new primitive, is tried here without being named here.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fusewright.cli import main
from fusewright.compiler.check.check import check, checked
from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.nodes import Definition
from fusewright.compiler.language.printer import definition_text
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.load import spell
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.network import Network
from fusewright.compiler.network.vocabulary import ROLES, library, library_names
from fusewright.compiler.passes import optimise
from fusewright.compiler.program.program import Program
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.diagram import render
from fusewright.compiler.targets.latex import definition_latex
from fusewright.compiler.targets.numpy.network import evaluate
from fusewright.compiler.targets.onnx.export import export
from fusewright.compiler.targets.onnx.session import open_session, run
from fusewright.compiler.targets.target import Subject
from fusewright.compiler.targets.torch.module import FusionModule, load_weights
from fusewright.ops import primitives as primitives_package
from fusewright.ops.primitive import Primitive, primitives

from ...support.programs import random_inputs, random_weights, without_dropout

CHANNELS, LENGTH = 8, 6
INPUTS = "xyz"


# What there is


@dataclass(frozen=True)
class Case:
    """A definition of a library, over so many inputs."""

    home: str
    definition: Definition
    count: int

    def __str__(self) -> str:
        return f"{self.home}.{self.definition.name}.{self.count}"


def definitions(role: bool) -> list[tuple[str, Definition]]:
    return [
        (name, d)
        for name in library_names()
        for d in (
            library(name).roles
            if role
            else [d for all_of in library(name).operations.values() for d in all_of]
        )
    ]


def cases(role: bool) -> list[Case]:
    """Every definition at every number of inputs that it takes, up to three."""
    return [
        Case(home, d, count)
        for home, d in definitions(role)
        for count in ((2, 3) if d.rest else (len(d.inputs),))
        if d.takes(count)
    ]


OPERATIONS, ROLE_CASES = cases(role=False), cases(role=True)


def test_every_library_has_operations_and_every_role() -> None:
    homes = {home for home, _ in definitions(role=False)}
    assert homes == set(library_names())
    for name in library_names():
        assert {d.name for d in library(name).roles} == (set() if name == OF_LOGITS else set(ROLES))
    assert {c.definition.name for c in ROLE_CASES} == set(ROLES)


# Networks around one thing


OF_LOGITS = "evidence"
"""The library of operations for the logits of heads, which has no roles."""
HEAD = "role head(h) = flatten(h) @ W[_, K] + b[K]"


def around(
    operation: str, count: int, *, use: str = "paper", own: str = "", head: str = HEAD
) -> Spec:
    """A network of one Cell with one Step, in which an operation takes the Cell's inputs."""
    inputs = ", ".join(f"F{i}" for i in range(count))
    features = " ".join(f"F{i}[c {i + 3}, t {LENGTH}]" for i in range(count))
    return parse(
        f"network n(C = {CHANNELS}, L = {LENGTH}, dropout = 0.2) use {use} {own} "
        f"role combine(*h) = concat(*h) {head} modality m {{ {features} }} "
        f"cell K({inputs}) {{ S = {operation}({', '.join(INPUTS[:count])}) }} predict 3 classes"
    )


def around_operation(case: Case) -> Spec:
    if case.home != OF_LOGITS:
        return around(case.definition.name, case.count, use=case.home)
    return deciding(case, f"use paper use {OF_LOGITS}", f"{case.definition.name}(*h)")


def deciding(case: Case, use: str, decide: str = "") -> Spec:
    """A network whose last head decides by so many others, whose logits are no less than 0."""
    features = " ".join(f"F{i}[c {i + 3}]" for i in range(case.count))
    heads = " ".join(f"predict h{i}(F{i}) 3 classes" for i in range(case.count))
    names = ", ".join(f"h{i}" for i in range(case.count))
    return parse(
        f"network n(C = {CHANNELS}, L = {LENGTH}) {use} modality m {{ {features} }} output F0 "
        f"role head(h) = abs(flatten(h) @ W[_, K]) {decide and f'role decide(*h) = {decide}'} "
        f"{heads} predict last({names}) 3 classes"
    )


def around_role(case: Case) -> Spec:
    """A network that applies a role to so many inputs: Steps, outputs, heads, or one feature."""
    count = case.count
    if case.definition.name == "decide":
        return deciding(case, f"use {case.home}")
    steps = " ".join(f"S{i} = Own(x, y)" for i in range(max(1, count - 1)))
    names = ", ".join(f"F{i}" for i in range(max(2, count)))
    features = " ".join(f"F{i}[c {i + 3}, t {LENGTH}]" for i in range(max(2, count)))
    body = f"cell K(F0, F1) {{ {steps} }}" if case.definition.name == "merge" else ""
    output = "K" if body else names if case.definition.name == "combine" else "F0"
    return parse(
        f"network n(C = {CHANNELS}, L = {LENGTH}, dropout = 0.2) use {case.home} "
        f"op Own(x, y) = x + y modality m {{ {features} }} {body} output {output} predict 3 classes"
    )


def program_of(spec: Spec) -> tuple[Network, Program]:
    network = checked(spec)
    return network, lower(build(network))


def assert_targets_agree(spec: Spec, batches: Sequence[int] = (1, 5)) -> None:
    """numpy = torch = ONNX Runtime on random weights and inputs, and gradients are finite."""
    network, program = program_of(spec)
    optimised, weights = optimise(program), random_weights(program, 1)
    module = FusionModule(optimised)
    load_weights(module, weights)
    folded = optimise(program, "inference")
    session = open_session(export(folded, Subject(network), weights).SerializeToString())
    for batch in batches:
        inputs = random_inputs(program, batch, seed=batch)
        expected = evaluate(program, inputs, weights)
        assert np.isfinite(expected).all()
        tensors = {name: torch.from_numpy(a) for name, a in inputs.items()}
        with torch.no_grad():
            found = module.eval()(tensors).numpy()
        assert_close(found, expected)
        assert_close(run(session, inputs), expected)
    assert_gradients(program, weights)


def assert_close(found: NDArray[Any], expected: NDArray[Any]) -> None:
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())


def assert_gradients(program: Program, weights: Mapping[str, NDArray[Any]]) -> None:
    """In training, every parameter that is read has a finite gradient, and so have the inputs."""
    module = FusionModule(without_dropout(program)).double().train()
    load_weights(module, weights)
    tensors = {
        name: torch.from_numpy(a).double().requires_grad_()
        for name, a in random_inputs(program, 4, seed=0).items()
    }
    module(tensors).sin().sum().backward()
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(g).all() for g in gradients)
    assert all(t.grad is None or torch.isfinite(t.grad).all() for t in tensors.values())


@pytest.mark.parametrize("case", OPERATIONS, ids=str)
def test_an_operation_is_the_same_in_every_target(case: Case) -> None:
    assert_targets_agree(around_operation(case))


@pytest.mark.parametrize("case", ROLE_CASES, ids=str)
def test_a_role_is_the_same_in_every_target(case: Case) -> None:
    assert_targets_agree(around_role(case))


@pytest.mark.parametrize("case", OPERATIONS, ids=str)
def test_an_operation_reads_all_of_its_inputs(case: Case) -> None:
    """Only `Zero` gives the same whatever it is given."""
    network, program = program_of(around_operation(case))
    weights, inputs = random_weights(program, 2), dict(random_inputs(program, 3, 2))
    before = evaluate(program, inputs, weights)
    for name in [f.name for f in network.features]:
        other = inputs | {name: inputs[name] + 1.5}
        same = np.allclose(evaluate(program, other, weights), before, atol=1e-9)
        assert same == (case.definition.name == "Zero")


# What is shown of them


@cache
def shown(*arguments: str) -> str:
    output = io.StringIO()
    with (
        patch.object(sys, "argv", ["fusewright", "ops", *arguments]),
        contextlib.redirect_stdout(output),
        contextlib.suppress(SystemExit),
    ):
        main()
    return output.getvalue()


@pytest.mark.parametrize("case", [*OPERATIONS, *ROLE_CASES], ids=str)
def test_ops_lists_it_with_its_equation(case: Case) -> None:
    text = definition_text(case.definition)
    assert parse(text).definitions == (case.definition,)
    assert f"\n{text}\n" in shown()
    assert f"\n{text}\n" in shown(case.home)
    latex = definition_latex(case.definition)
    assert rf"\texttt{{{case.definition.name}}} & ${latex}$ \\" in shown("--latex").splitlines()
    assert latex.count("{") == latex.count("}")


# Primitives


def calls(record: Primitive) -> list[str]:
    """Equations that call a primitive with every count of inputs and every setting it may have.

    They are made from its record alone, so some of them do not mean anything.
    """
    low, high = record.inputs
    most = 1 if record.reads_lengths else min(3, high or 3)
    found = [f"{record.name}({', '.join(INPUTS[:n])})" for n in range(max(1, low), most + 1)]
    first = found[0][:-1]
    for attribute in record.attributes:
        match attribute.kind:
            case "axes":
                values: Sequence[object] = ("length", "channels", "(length, channels)")
            case "word":
                values = attribute.words
            case "count":
                values = (1, 2, LENGTH)
            case "number":
                values = (0.25,)
        found += [f"{first}, {attribute.name} = {value})" for value in values]
    return found


def around_call(call: str) -> Iterator[Spec]:
    """Networks that may hold a call, whatever shape it gives; inputs are above zero."""
    positive = " ".join(f"{i} = abs({n}) + 0.5;" for i, n in zip(INPUTS, "uvw", strict=True))
    for result in (f"u + {call}", f"{call} @ P[_, C]"):
        yield around("Own", 3, own=f"op Own(u, v, w) {{ {positive} return {result} }}")
    yield around("Sum", 2, head=f"role head(u) {{ x = abs(u) + 0.5 return {call} @ W[_, K] }}")


@pytest.mark.parametrize(
    "record", [p for p in primitives().values() if p.public], ids=lambda p: p.name
)
def test_a_primitive_is_the_same_in_every_target(record: Primitive) -> None:
    tried = 0
    for call in calls(record):
        meaningful = (s for s in around_call(call) if not any(d.is_error for d in check(s)))
        network = next(meaningful, None)
        if network is not None:
            assert_targets_agree(network)
            tried += 1
    assert tried
    record.latex(*("x",) * max(1, record.inputs[0]))


def test_primitives_are_known_by_their_own_names() -> None:
    assert all(record.name == name for name, record in primitives().items())
    assert {"concat", "resample", "attention", "dropout"} <= primitives().keys()


@pytest.mark.parametrize("number", ["0", "0.5", "1", "2", "0.7071067811865476"])
@pytest.mark.parametrize(
    "record", [p for p in primitives().values() if p.public and p.takes(1)], ids=lambda p: p.name
)
def test_a_number_that_a_primitive_uses_itself_may_stand_beside_it(
    record: Primitive, number: str
) -> None:
    """Targets may share equal constants, so an equation writes those that primitives use."""
    equation = f"{number} + {record.name}(abs(x) + {number} + 1) * {number}"
    for spec in (
        around("Own", 2, own=f"op Own(x, y) = {equation} + y"),
        around("Own", 2, own=f"op Own(x, y) = ({equation}) @ P[_, C] + y"),
        around("Sum", 2, head=f"role head(x) {{ u = {equation} return u @ W[_, K] }}"),
    ):
        if not any(d.is_error for d in check(spec)):
            assert_targets_agree(spec, batches=(2,))
            return
    pytest.fail(f"no network could be made around `{equation}`")


# Adding one is one equation, or one record, in one place

NOVEL = """op Novel(x, y, sharp = 2) {
  g = sigmoid(sharp * (x @ G[C, C] + g0[C]))
  s[1] = ones
  return layernorm(s * g * x + (1 - g) * tanh(y), over = (length, channels))
}"""


def test_an_operation_of_a_specification_works_in_every_target() -> None:
    assert_targets_agree(around("Novel", 2, own=NOVEL))
    assert_targets_agree(around("?", 2, own=f"{NOVEL} pool Sum, Novel, Novel(sharp = 0.5)"))
    assert_targets_agree(around("Novel", 2, own=f"{NOVEL} op Sum(x, y) = Novel(y, x)"))


def test_an_operation_of_a_specification_is_shown(tmp_path: Path) -> None:
    spec = around("?", 2, own=f"{NOVEL} pool Sum, Novel(sharp = 0.5)")
    (tmp_path / "own.fuse").write_text(str(spec), encoding="utf-8")
    rows = shown(str(tmp_path / "own.fuse")).splitlines()
    assert rows[0] == "# the specification"
    assert rows[1] == "op Novel(x, y, sharp = 2) {"
    assert rows[2].startswith("  g = sigmoid(")
    assert "Novel (sharp = 0.5)" in render(build(checked(spec)), "svg").decode()
    assert loads(spell(spec, "json")) == spec


def test_a_library_is_a_file(tmp_path: Path) -> None:
    roles = "\n".join(definition_text(d) for d in library("paper").roles)
    (tmp_path / "novel.fuse").write_text(f"{NOVEL}\n{roles}\n", encoding="utf-8")
    with patch("fusewright.compiler.network.vocabulary._folder", return_value=tmp_path):
        assert library_names() == ["novel"]
        library.cache_clear()
        assert_targets_agree(around("Novel", 2, use="novel"))
        assert "op Novel(x, y, sharp = 2) {" in shown("novel")
    library.cache_clear()


CUBE = """
from ..primitive import Primitive

cube = Primitive(
    name="cube",
    type=lambda x: x,
    numpy=lambda np, x: x * x * x,
    torch=lambda torch, x: torch.pow(x, 3),
    onnx=lambda g, x: g.Mul(x, g.Mul(x, x)),
    latex=lambda x: rf"{x}^3",
)
"""


@pytest.fixture
def with_cube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module with one more record among the primitives."""
    (tmp_path / "cube.py").write_text(CUBE, encoding="utf-8")
    paths = [*primitives_package.__path__, str(tmp_path)]
    monkeypatch.setattr(primitives_package, "__path__", paths)
    primitives.cache_clear()
    yield
    monkeypatch.undo()
    sys.modules.pop(f"{primitives_package.__name__}.cube")
    primitives.cache_clear()


@pytest.mark.usefixtures("with_cube")
def test_a_primitive_is_a_record(tmp_path: Path) -> None:
    spec = around("Own", 2, own="op Own(x, y) = cube(x) - y")
    assert_targets_agree(spec)
    (tmp_path / "own.fuse").write_text(str(spec), encoding="utf-8")
    assert "x^3 - y" in shown("--latex", str(tmp_path / "own.fuse"))


# Resampling against torch's own kernels


def resampling(axes: str, length: int, channels: int, by: str = "pool") -> Spec:
    """A network whose output is one feature brought to the inner length, and nothing else."""
    return parse(
        f"network n(C = {channels}, L = {length}) modality m {{ F[{axes}] }} output F "
        f"role adapt(f) = resample(f, by = {by}) role combine(*h) = concat(*h) "
        f"role head(h) = flatten(h) predict {length * channels} labels"
    )


def resampled(
    spec: Spec, array: NDArray[np.float32], lengths: NDArray[Any] | None = None
) -> NDArray[Any]:
    """What every target makes of a feature, (batch, L, C), in which they agree."""
    network, program = program_of(spec)
    inputs = {"F": array} | ({} if lengths is None else {"F.lengths": lengths})
    expected = evaluate(program, inputs, {})
    module = FusionModule(optimise(program)).eval()
    found = module({name: torch.from_numpy(a) for name, a in inputs.items()}).numpy()
    model = export(optimise(program, "inference"), Subject(network), {})
    session = open_session(model.SerializeToString())
    assert_close(found, expected)
    assert_close(run(session, inputs), expected)
    return expected.reshape(len(array), network.length, network.channels)


def normal(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


POOLS: Mapping[str, Any] = {
    "pool": (functional.adaptive_max_pool1d, functional.adaptive_max_pool2d, np.max),
    "mean": (functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, np.mean),
}
"""What pools an axis, a picture and any axes, by how `resample` is said to."""


def pooled(array: NDArray[Any], length: int, by: str) -> NDArray[Any]:
    """(batch, t, c) to (batch, L, c) by torch's adaptive pooling."""
    found: NDArray[Any] = POOLS[by][0](torch.from_numpy(array).transpose(1, 2), length).numpy()
    return found.transpose(0, 2, 1)


def gridded(array: NDArray[Any], grid: tuple[int, int], by: str) -> NDArray[Any]:
    """(batch, h, w, c) to (batch, L, c) by torch's adaptive pooling, row by row."""
    cells = POOLS[by][1](torch.from_numpy(array).permute(0, 3, 1, 2), grid)
    found: NDArray[Any] = cells.flatten(2).transpose(1, 2).numpy()
    return found


SIZES = (1, 2, 4, 5, 6, 7, 11, 12, 13, 30)
TIME = ("t {t}, c 3", "t *, c 3")


@pytest.mark.parametrize("axes", TIME)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("length", [1, 6])
@pytest.mark.parametrize("by", POOLS)
def test_time_is_pooled_as_torch_pools_it(axes: str, size: int, length: int, by: str) -> None:
    array = normal(2, size, 3)
    found = resampled(resampling(axes.format(t=size), length, 3, by), array)
    assert np.allclose(found, pooled(array, length, by), atol=1e-6)


@pytest.mark.parametrize("axes", TIME)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("length", [1, 6])
def test_time_is_interpolated_as_torch_interpolates_it(axes: str, size: int, length: int) -> None:
    array = normal(2, size, 3)
    tensor = torch.from_numpy(array).transpose(1, 2)
    expected = functional.interpolate(tensor, length, mode="linear", align_corners=False)
    found = resampled(resampling(axes.format(t=size), length, 3, "linear"), array)
    assert np.allclose(found, expected.transpose(1, 2).numpy(), atol=1e-5)


@pytest.mark.parametrize("by", POOLS)
@pytest.mark.parametrize("axes", ["h {h}, w {w}, c 3", "h *, w *, c 3", "h {h}, w *, c 3"])
@pytest.mark.parametrize(("length", "grid"), [(1, (1, 1)), (6, (2, 3)), (7, (1, 7)), (12, (3, 4))])
@pytest.mark.parametrize(("h", "w"), [(1, 1), (2, 3), (5, 4), (7, 14)])
def test_space_is_pooled_to_a_grid_read_row_by_row(
    axes: str, length: int, grid: tuple[int, int], h: int, w: int, by: str
) -> None:
    array = normal(2, h, w, 3)
    found = resampled(resampling(axes.format(h=h, w=w), length, 3, by), array)
    assert np.allclose(found, gridded(array, grid, by), atol=1e-6)


@pytest.mark.parametrize(
    ("axes", "order"),
    [
        ("c 3, t 5, h 2, w 4", (0, 2, 3, 4, 1)),
        ("h 2, t 5, c 3, w 4", (0, 2, 1, 4, 3)),
        ("w 4, c 3, h *, t *", (0, 4, 3, 1, 2)),
        ("c 3, t *, h *, w *", (0, 2, 3, 4, 1)),
    ],
)
@pytest.mark.parametrize("by", POOLS)
def test_axes_stand_in_any_order_and_space_is_pooled_away_beside_time(
    axes: str, order: Sequence[int], by: str
) -> None:
    array = normal(2, 5, 2, 4, 3)
    found = resampled(resampling(axes, 6, 3, by), np.ascontiguousarray(unordered(array, order)))
    assert np.allclose(found, pooled(POOLS[by][2](array, (2, 3)), 6, by), atol=1e-6)


@pytest.mark.parametrize("by", POOLS)
@pytest.mark.parametrize("axes", ["c 3, h *, w *", "w 4, c 3, h *", "c 3, w *, h 5"])
def test_a_picture_has_its_axes_in_any_order(axes: str, by: str) -> None:
    array = normal(2, 5, 4, 3)
    places = [" hwc".index(axis[0]) for axis in axes.split(", ")]
    given = np.ascontiguousarray(array.transpose(0, *places))
    found = resampled(resampling(axes, 6, 3, by), given)
    assert np.allclose(found, gridded(array, (2, 3), by), atol=1e-6)


def unordered(array: NDArray[np.float32], order: Sequence[int]) -> NDArray[np.float32]:
    """An array of (batch, t, h, w, c) with its axes as declared: `order` undoes it."""
    return array.transpose(np.argsort(order))


@pytest.mark.parametrize("by", POOLS)
@pytest.mark.parametrize(("axes", "shape"), [("c 3, h 7", (3, 7)), ("w *, c 3", (7, 3))])
def test_a_single_axis_of_space_is_a_picture_of_one_row_or_column(
    axes: str, shape: tuple[int, int], by: str
) -> None:
    array = normal(2, *shape)
    line = array.transpose(0, 2, 1) if shape[0] == 3 else array
    picture = line[:, :, None] if "h" in axes else line[:, None]
    found = resampled(resampling(axes, 6, 3, by), array)
    assert np.allclose(found, gridded(picture, (2, 3), by), atol=1e-6)


def test_a_bare_vector_is_repeated() -> None:
    array = normal(2, 3)
    assert np.allclose(resampled(resampling("c 3", 6, 3), array), array[:, None].repeat(6, 1))


@pytest.mark.parametrize("by", ["pool", "mean", "linear"])
@pytest.mark.parametrize("axes", ["t *, c 3", "t *, h 2, c 3"])
def test_lengths_are_as_if_each_sample_stood_alone(by: str, axes: str) -> None:
    array = normal(4, 9, 3) if "h" not in axes else normal(4, 9, 2, 3)
    lengths = np.array([1, 4, 9, 6])
    spec = resampling(axes, 6, 3, by)
    found = resampled(spec, array, lengths)
    for i, n in enumerate(lengths):
        assert np.allclose(found[i], resampled(spec, array[i : i + 1, :n])[0], atol=1e-5)


# What stands along the length


APPENDED = """role head(h) {
  whole = append(zeros(first(h)) + t[C], h, first(h))
  return flatten(first(whole) * max(whole, over = length) - mean(whole, over = length)) @ W[_, K]
}"""


def test_what_is_appended_is_the_same_in_every_target() -> None:
    assert_targets_agree(around("Sum", 2, head=APPENDED))


@pytest.mark.parametrize(
    "call", ["append(h, concat(h, h))", "append(h, b[1, C])", "first(flatten(h))"]
)
def test_what_does_not_fit_along_the_length_is_refused(call: str) -> None:
    spec = around("Sum", 2, head=f"role head(h) = flatten({call}) @ W[_, K]")
    assert [d.code for d in check(spec) if d.is_error] == ["E302"]
