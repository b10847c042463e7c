"""The six laws of the architecture, over random programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto

import fusewright as fw
from fusewright.compiler.check.check import check, checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.documents.writer import to_json, to_yaml
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.choices import CellChoice, Choices, StepChoice, fill
from fusewright.compiler.network.fillings import fixed_choice
from fusewright.compiler.network.holes import RELAXATIONS, Relaxation, filling, union
from fusewright.compiler.network.names import identifier
from fusewright.compiler.network.network import Network
from fusewright.compiler.network.rules import admits
from fusewright.compiler.passes import NETWORK_STAGES, Stage, optimise, passes
from fusewright.compiler.program.program import Program, validate
from fusewright.compiler.program.weights import Weights
from fusewright.compiler.resolve.unfill import unfill
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.numpy.network import evaluate
from fusewright.compiler.targets.onnx.export import export as export_onnx
from fusewright.compiler.targets.onnx.options import OPSETS, OnnxOptions
from fusewright.compiler.targets.onnx.session import open_session, run
from fusewright.compiler.targets.python.source import source
from fusewright.compiler.targets.target import Subject
from fusewright.compiler.targets.torch.kernels import KERNELS
from fusewright.compiler.targets.torch.module import FusionModule, load_weights
from fusewright.runtime.genotypes.derive import derive

from ..support.programs import (
    lowered,
    random_inputs,
    random_weights,
    specs,
    without_dropout,
    written_specs,
)
from ..support.proving import PROVING

relaxations = st.sampled_from(RELAXATIONS)
seeds = st.integers(0, 2**31)
trained_stages = st.sampled_from([stage for stage in NETWORK_STAGES if stage != "inference"])


def relative_difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    assert a.shape == b.shape
    return float(np.abs(a - b).max() / max(1.0, float(np.abs(b).max())))


# Law 1: spellings


@given(written_specs())
def test_parsing_what_is_printed_gives_the_same_spec(spec: Spec) -> None:
    text = print_spec(spec)
    assert parse(text) == spec
    assert print_spec(parse(text)) == text


@given(written_specs())
def test_json_and_yaml_lose_nothing(spec: Spec) -> None:
    assert loads(to_json(spec), spelling="json") == spec
    assert loads(to_yaml(spec), spelling="yaml") == spec


@given(written_specs(), st.sampled_from((" ", "\n", "\t\n  ")))
def test_white_space_is_interchangeable(spec: Spec, space: str) -> None:
    text = print_spec(spec)
    quoted = '"' in text or "`" in text
    assert quoted or parse(text.replace("\n", space)) == spec


# Law 2: passes


@given(specs(), relaxations, seeds, st.sampled_from(NETWORK_STAGES))
def test_every_pass_keeps_the_numbers_and_is_idempotent(
    spec: Spec, relax: Relaxation, seed: int, stage: Stage
) -> None:
    program = lowered(spec, relax)
    weights, inputs = random_weights(program, seed), random_inputs(program, 3, seed)
    expected = evaluate(program, inputs, weights)
    for name, one_pass in passes(stage).items():
        passed = validate(one_pass(program), name)
        assert passed.parameters == program.parameters
        assert np.allclose(evaluate(passed, inputs, weights), expected, rtol=1e-10, atol=1e-10)
        assert one_pass(passed) == passed, name
        program = passed


# Law 3: targets


def export(program: Program, network: Network, weights: Weights, **options: Any) -> ModelProto:
    return export_onnx(program, Subject(network), weights, OnnxOptions(**options))


@given(specs(), relaxations, seeds, st.sampled_from((1, 7)), st.sampled_from(OPSETS), st.booleans())
def test_torch_numpy_and_onnx_agree(
    spec: Spec, relax: Relaxation, seed: int, batch: int, opset: int, inline: bool
) -> None:
    network = checked(spec)
    program = lower(build(network), relax)
    weights, inputs = random_weights(program, seed), random_inputs(program, batch, seed)
    expected = evaluate(program, inputs, weights)
    optimised = optimise(program)
    module = FusionModule(optimised).eval()
    load_weights(module, weights)
    with torch.no_grad():
        found = module({name: torch.from_numpy(a) for name, a in inputs.items()}).numpy()
    assert found.shape == (batch, network.head.count)
    assert relative_difference(found, expected) <= 1e-5
    folded = optimise(program, "inference")
    model = export(folded, network, weights, opset=opset, inline=inline)
    session = open_session(model.SerializeToString())
    assert relative_difference(run(session, inputs), expected) <= 1e-5


@given(specs(), seeds)
def test_every_artifact_of_a_network_agrees(spec: Spec, seed: int) -> None:
    """numpy, torch, standalone Python, and ONNX: `make prove` tries every opset of each program."""
    space = checked(spec)
    program = lower(build(space), "shared")
    genotype = derive(space, random_weights(program, seed), "shared")
    network = checked(genotype)
    program = lower(build(network))
    weights = random_weights(program, seed)
    folded, tensors = optimise(program, "inference"), as_tensors(weights)
    modules = [FusionModule(optimise(program)), python_module(source(program, network))]
    for module in modules:
        module.load_state_dict({**module.state_dict(), **tensors})
        module.eval()
    kinds = [(o, inline) for o in OPSETS for inline in (False, True)]
    chosen = kinds if PROVING else [kinds[seed % len(kinds)]]
    sessions = [
        open_session(export(folded, network, weights, opset=o, inline=i).SerializeToString())
        for o, i in chosen
    ]
    for batch in (1, 7):
        inputs = random_inputs(program, batch, seed)
        expected = evaluate(program, inputs, weights)
        with torch.no_grad():
            found = [module(as_tensors(inputs)).numpy() for module in modules]
        found += [run(session, inputs) for session in sessions]
        assert all(relative_difference(f, expected) <= 1e-5 for f in found)


def as_tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    return {
        name: torch.from_numpy(a.astype(np.float32) if a.dtype.kind == "f" else a)
        for name, a in arrays.items()
    }


def python_module(text: str) -> torch.nn.Module:
    """The network of a standalone file."""
    names: dict[str, Any] = {"__name__": "standalone"}
    exec(compile(text, "<standalone>", "exec"), names)
    module: torch.nn.Module = names[names["__all__"][0]]()
    return module


@given(specs(), relaxations, seeds, trained_stages, st.booleans())
def test_passes_keep_gradients(
    spec: Spec, relax: Relaxation, seed: int, stage: Stage, training: bool
) -> None:
    program = without_dropout(lowered(spec, relax))
    weights, inputs = random_weights(program, seed), random_inputs(program, 4, seed)
    plain = gradients(FusionModule(program).double().train(training), weights, inputs)
    module = FusionModule(optimise(program, stage)).double().train(training)
    passed = gradients(module, weights, inputs)
    assert plain.keys() == passed.keys()
    for name, gradient in plain.items():
        assert relative_difference(passed[name], gradient) <= 1e-8, name


@given(specs(), relaxations, seeds, trained_stages)
def test_kernels_keep_gradients(spec: Spec, relax: Relaxation, seed: int, stage: Stage) -> None:
    """In float32, the only type that they compute in, to its rounding of the largest gradient."""
    program = without_dropout(lowered(spec, relax))
    weights, inputs = random_weights(program, seed), random_inputs(program, 8, seed)
    exact = gradients(FusionModule(program).double().train(), weights, inputs)
    module = FusionModule(optimise(program, stage), kernels=KERNELS).train()
    found = gradients(module, weights, inputs)
    assert exact.keys() == found.keys()
    largest = max([1.0, *(float(np.abs(g).max()) for g in exact.values())])
    for name, gradient in exact.items():
        assert np.abs(found[name] - gradient).max() <= 1e-4 * largest, name


def gradients(
    module: FusionModule, weights: Mapping[str, NDArray[Any]], inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Of every parameter, in the type of the module; zero where nothing depends on it."""
    load_weights(module, weights)
    dtype = next(module.parameters()).dtype
    features = {
        name: torch.from_numpy(a).to(dtype) if a.dtype.kind == "f" else torch.from_numpy(a)
        for name, a in inputs.items()
    }
    module(features).sin().sum().backward()
    return {
        name: np.zeros(p.shape) if p.grad is None else p.grad.numpy()
        for name, p in module.named_parameters()
    }


# Law 4: relaxation


@given(specs(), seeds)
def test_a_one_hot_hypernet_is_its_genotype(spec: Spec, seed: int) -> None:
    network = checked(spec)
    hypernet = lower(build(network), "per_input")
    weights = random_weights(hypernet, seed)
    genotype = derive(network, weights, "per_input")
    assume(len(checked(genotype).outputs) == len(network.outputs))  # else `head` has fewer rows
    one_hot = weights | one_hot_logits(network, genotype)
    inputs = random_inputs(hypernet, 3, seed)
    discrete = lowered(genotype, "per_input")
    names = {p.name: p for p in hypernet.parameters}
    assert all(names.get(p.name) == p for p in discrete.parameters)
    found = evaluate(discrete, inputs, weights)
    assert relative_difference(evaluate(hypernet, inputs, one_hot), found) <= 1e-9


def one_hot_logits(network: Network, genotype: Spec) -> dict[str, NDArray[Any]]:
    """Architecture parameters of `per_input` that choose what a genotype has chosen."""
    logits: dict[str, NDArray[Any]] = {}
    chosen = checked(genotype)
    for cell, found in zip(network.cells, chosen.cells, strict=True):
        for n, (slot, taken) in enumerate(zip(cell.slots, found.slots, strict=True), start=1):
            if slot.open:
                name = identifier(cell.name, f"alpha_{n}")
                logits[name] = hot(slot.candidates, taken.candidates[0])
        for step, other in zip(cell.steps, found.steps, strict=True):
            for n, (slot, taken) in enumerate(zip(step.slots, other.slots, strict=True), start=1):
                if slot.open:
                    name = identifier(cell.name, step.name, f"beta_{n}")
                    logits[name] = hot(slot.candidates, taken.candidates[0])
            if step.open:
                scopes = [o.scope for o in step.operations]
                name = identifier(cell.name, step.name, "gamma")
                logits[name] = hot(scopes, other.operations[0].scope)
    outputs = unfill(network, genotype).outputs
    for n, (place, name) in enumerate(zip(network.outputs, outputs, strict=True), start=1):
        if place.open:
            logits[identifier("output", f"alpha_{n}")] = hot(filling(place), name)
    return logits


@given(st.integers(1, 15), seeds)
def test_outputs_that_are_left_out_are_rows_of_the_head(taken: int, seed: int) -> None:
    """A one-hot hypernet is its genotype with those rows of the head that are read."""
    length, channels = 2, 4
    space = fw.loads(
        f"network n(C = {channels}, L = {length}) modality m {{ A[c 3] B[c 5, t 4] D[c 2] }} "
        "cell K(A, B) { S = Sum(x, y) } output A?, *?, D? predict 3 classes"
    )
    network = checked(space)
    kept = [bool(taken >> place & 1) for place in range(4)]
    outputs = [s.candidates[0] if k else "" for s, k in zip(network.outputs, kept, strict=True)]
    steps = tuple(StepChoice(0, ("x", "y")) for _ in range(1))
    genotype = fill(network, Choices((CellChoice(("A", "B"), steps),), tuple(outputs)))
    hypernet = lower(build(network), "per_input")
    weights = random_weights(hypernet, seed)
    rows = weights["head.W"].reshape(length, len(kept), channels, -1)[:, kept]
    own = weights | {"head.W": rows.reshape(-1, rows.shape[-1])}
    inputs = random_inputs(hypernet, 3, seed)
    found = evaluate(lowered(genotype, "per_input"), inputs, own)
    one_hot = weights | one_hot_logits(network, genotype)
    assert relative_difference(evaluate(hypernet, inputs, one_hot), found) <= 1e-9


def hot(candidates: Any, chosen: str) -> NDArray[Any]:
    return np.where([c == chosen for c in candidates], 0.0, -1e4)


@given(specs(), relaxations)
def test_names_and_shapes_do_not_depend_on_passes(spec: Spec, relax: Relaxation) -> None:
    program = lowered(spec, relax)
    plain = FusionModule(program).state_dict()
    passed = FusionModule(optimise(program)).state_dict()
    assert {n: t.shape for n, t in plain.items()} == {n: t.shape for n, t in passed.items()}
    assert all(torch.equal(t, passed[n]) for n, t in plain.items())
    kinds = {p.name: p.kind for p in program.parameters}
    module = FusionModule(program)
    architecture = {id(p) for p in module.architecture_parameters()}
    weights = {id(p) for p in module.weight_parameters()}
    assert not architecture & weights
    assert len(architecture) == list(kinds.values()).count("architecture")
    assert len(weights) == list(kinds.values()).count("weight")


# Law 5: deriving


@given(specs(), relaxations, seeds)
def test_a_derived_genotype_satisfies_the_rules(spec: Spec, relax: Relaxation, seed: int) -> None:
    network = checked(spec)
    logits = random_weights(lower(build(network), relax), seed)
    genotype = derive(network, logits, relax)
    assert not [d for d in check(genotype) if d.is_error]
    found = checked(genotype)
    assert not found.has_holes
    choices = [fixed_choice(c) for c in found.cells]
    for index, (cell, choice) in enumerate(zip(network.cells, choices, strict=True)):
        assert admits(network, index, choice, choices[:index])
        assert all(c in s.candidates for c, s in zip(choice, cell.slots, strict=True))
        opened = [c for c, s in zip(choice, cell.slots, strict=True) if s.open]
        assert len(set(opened)) == len(opened)
        assert set(opened) <= set(union(cell.slots))
    lower(build(found))
    assert parse(print_spec(genotype)) == genotype


# Law 6: any input


@given(st.one_of(st.text(), st.binary().map(lambda b: b.decode("latin-1"))))
def test_any_text_is_a_spec_or_diagnostics(text: str) -> None:
    spec_or_diagnostics(text)


@given(written_specs(), st.data())
def test_mutated_programs_are_specs_or_diagnostics(spec: Spec, data: st.DataObject) -> None:
    spelling = data.draw(st.sampled_from((print_spec, to_json, to_yaml)))
    text = spelling(spec)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 8)))
        inserted = data.draw(st.text('{}[]()?,:=|*@`"#\n -+_1x', max_size=4))
        text = text[:start] + inserted + text[end:]
    spec_or_diagnostics(text)


def spec_or_diagnostics(text: str) -> None:
    try:
        spec = loads(text)
    except DiagnosticError as error:
        assert error.diagnostics
        assert str(error)
    else:
        if not [d for d in check(spec) if d.is_error]:
            parsed = parse(print_spec(spec))
            assert parsed == spec


@pytest.mark.parametrize("text", ["cell A[1000000000](?, ?) { S = ?(x, y) }", "(" * 100_000])
def test_huge_programs_end_in_diagnostics(text: str) -> None:
    head = "network n(C = 4, L = 4) modality m { F[c 3] } pool Sum predict 2 classes "
    with pytest.raises(DiagnosticError):
        checked(parse(head + text))
