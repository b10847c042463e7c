"""The published code's numbers: operations, networks, hypernets with gradients, derivations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.apply import apply
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.network import Network
from fusewright.compiler.passes import optimise
from fusewright.compiler.program.program import Builder, Input, Program
from fusewright.compiler.published.genotype import genotype_from_text, genotype_text
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.numpy.network import evaluate
from fusewright.compiler.targets.torch.module import FusionModule, load_weights
from fusewright.ops.types import inner
from fusewright.runtime.genotypes.derive import derive

from ...support.paths import VECTORS
from ...support.programs import without_dropout

CASES = ("small", "one_step")
OPERATIONS = {"ScaleDotAttn": "Attention"}
NORMS = {"weight": "scale", "bias": "shift", "running_mean": "mean", "running_var": "variance"}
Array = NDArray[Any]


def sizes(case: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS / f"{case}.json").read_text())
    return loaded


def tensors(case: str, kind: str) -> dict[str, Array]:
    return load_file(VECTORS / f"{case}_{kind}.safetensors")


def space(case: str) -> Spec:
    """The search space of a case; its features have the inner shape already."""
    n = sizes(case)
    features = " ".join(f"F{i}[t {n['L']}, c {n['C']}]" for i in range(n["features"]))
    return parse(
        f"""network {case}(C = {n["C"]}, L = {n["L"]})
        use bmnas
        role adapt(f) = resample(f)
        modality m {{ {features} }}
        pool Sum, Attention, LinearGLU, ConcatFC
        cell Cell[{n["cells"]}](?, ?) {{ Step[{n["steps"]}] = ?(?, ?) }}
        require fresh_input
        predict {n["classes"]} classes"""
    )


def ours(array: Array) -> Array:
    """The published layout (batch or nothing, C, L), or a 1×1 convolution, in ours."""
    return array.swapaxes(-1, -2) if array.ndim > 1 else array


def linear(given: Mapping[str, Array], name: str) -> dict[str, Array]:
    weight = given[f"{name}.weight"]
    return {"W": weight.reshape(weight.shape[:2]).T, "b": given[f"{name}.bias"]}


def norm(given: Mapping[str, Array], name: str, ours_name: str) -> dict[str, Array]:
    found = {k.removeprefix(f"{name}."): v for k, v in given.items() if k.startswith(f"{name}.")}
    return {f"{ours_name}.{NORMS[k]}": ours(v) for k, v in found.items()}


def operation_weights(given: Mapping[str, Array], name: str) -> dict[str, Array]:
    """The parameters of one published operation under our names."""
    found: dict[str, Array] = {}
    if f"{name}.conv.weight" in given:
        found |= linear(given, f"{name}.conv")
    return found | norm(given, f"{name}.bn", "batchnorm") | norm(given, f"{name}.ln", "layernorm")


def network_weights(given: Mapping[str, Array], case: str) -> dict[str, Array]:
    """All parameters of a published network or hypernet under our names."""
    n = sizes(case)
    parts: dict[str, dict[str, Array]] = {"head": linear(given, "classifier")}
    parts["output.combine"] = norm(given, "output.ln", "layernorm")
    for k in range(n["cells"]):
        merge = norm(given, f"cell.{k}.bn", "batchnorm") | norm(given, f"cell.{k}.ln", "layernorm")
        if f"cell.{k}.out_conv.weight" in given:
            merge |= linear(given, f"cell.{k}.out_conv")
        parts[f"Cell_{k + 1}.merge"] = merge
        for m in range(n["steps"]):
            for name in n["ops"]:
                scope = f"Cell_{k + 1}.Step_{m + 1}.{OPERATIONS.get(name, name)}"
                parts[scope] = operation_weights(given, f"cell.{k}.step.{m}.{name}")
    return {f"{scope}.{name}": v for scope, found in parts.items() for name, v in found.items()}


def architecture(given: Mapping[str, Any], case: str, prefix: str = "") -> dict[str, Array]:
    """α, β and γ, or with a prefix their gradients, under our names."""
    n = sizes(case)
    alpha = np.asarray(given[f"{prefix}alpha"])
    logits: dict[str, Array] = {}
    row = 0
    for k in range(n["cells"]):
        count = n["features"] + k
        logits[f"Cell_{k + 1}.alpha"] = alpha[row : row + count]
        row += count
        beta, first = np.asarray(given[f"{prefix}beta.{k}"]), 0
        for m in range(n["steps"]):
            step = f"Cell_{k + 1}.Step_{m + 1}"
            logits[f"{step}.beta"] = beta[first : first + 2 + m]
            logits[f"{step}.gamma"] = np.asarray(given[f"{prefix}gamma.{k}"])[m]
            first += 2 + m
    return logits


def features(given: Mapping[str, Array]) -> dict[str, Array]:
    return {f"F{k[8:]}": ours(v) for k, v in given.items() if k.startswith("feature.")}


def module_of(program: Program, weights: Mapping[str, Array], training: bool) -> FusionModule:
    module = FusionModule(optimise(without_dropout(program))).train(training)
    load_weights(module, weights)
    return module


def as_tensors(arrays: Mapping[str, Array]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}


def close(found: Array, expected: Array) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("name", ["Sum", "ScaleDotAttn", "LinearGLU", "ConcatFC"])
@pytest.mark.parametrize("case", CASES)
def test_operations(case: str, name: str, mode: str) -> None:
    given, n = tensors(case, "ops"), sizes(case)
    builder = Builder()
    values = [builder.input(Input(i, inner(n["L"], n["C"]))) for i in ("x", "y")]
    network = checked(space(case))
    ours_name = OPERATIONS.get(name, name)
    step = network.cells[0].steps[0]
    application = next(o for o in step.operations if o.scope == ours_name)
    program = builder.program(apply(application, values, builder, (), network.numbers))
    weights = {f"{ours_name}.{k}": v for k, v in operation_weights(given, name).items()}
    inputs = {"x": ours(given["x"]), "y": ours(given["y"])}
    expected, training = ours(given[f"{name}.{mode}.out"]), mode == "train"
    reference = evaluate(without_dropout(program), inputs, weights, training)
    close(reference.astype(np.float32), expected)
    module = module_of(program, weights, training)
    close(module(as_tensors(inputs)).detach().numpy(), expected)


@pytest.mark.parametrize("case", CASES)
def test_networks(case: str) -> None:
    given = tensors(case, "network")
    genotype = genotype_from_text(sizes(case)["genotype"], space(case))
    program = lower(build(checked(genotype)))
    weights, inputs = network_weights(given, case), features(given)
    module = module_of(program, weights, training=False)
    close(module(as_tensors(inputs)).detach().numpy(), given["logits"])
    close(evaluate(program, inputs, weights).astype(np.float32), given["logits"])
    flatten = next(i for i, v in enumerate(program.values) if v.primitive == "flatten")
    fused = evaluate(replace(program, output=flatten), inputs, weights)
    close(fused.astype(np.float32), given["fused"])


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("case", CASES)
def test_hypernets(case: str, mode: str) -> None:
    given = tensors(case, "hypernet")
    program = lower(build(checked(space(case))), "shared")
    weights = network_weights(given, case) | architecture(given, case)
    module = module_of(program, weights, training=mode == "train")
    logits = module(as_tensors(features(given)))
    close(logits.detach().numpy(), given[f"{mode}.logits"])
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(given["labels"]))
    close(loss.detach().numpy(), given[f"{mode}.loss"][0])
    loss.backward()  # type: ignore[no-untyped-call]
    found = dict(module.named_parameters())
    for name, expected in architecture(given, case, f"{mode}.grad.").items():
        gradient = found[name].grad
        assert gradient is not None, name
        np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-4, atol=1e-8)
    reference = evaluate(without_dropout(program), features(given), weights, mode == "train")
    close(reference.astype(np.float32), given[f"{mode}.logits"])


@pytest.mark.parametrize("number", range(20))
@pytest.mark.parametrize("case", CASES)
def test_derivations(case: str, number: int) -> None:
    expected = sizes(case)["derivations"][number]
    network: Network = checked(space(case))
    flat = {"alpha": expected["alpha"]}
    for kind in ("beta", "gamma"):
        flat |= {f"{kind}.{k}": v for k, v in enumerate(expected[kind])}
    genotype = derive(network, architecture(flat, case), "shared")
    assert genotype_text(genotype) == expected["genotype"]
    assert genotype == genotype_from_text(expected["genotype"], space(case))
