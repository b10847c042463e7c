"""Laws of populations: networks that train as one Program are what they are alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.network import Network
from fusewright.compiler.passes import optimise, passes
from fusewright.compiler.program.draws import KEYS, with_draws
from fusewright.compiler.program.hoist import hoist
from fusewright.compiler.program.join import join, member_name
from fusewright.compiler.program.parser import parse_program
from fusewright.compiler.program.program import Program, validate
from fusewright.compiler.program.text import print_program
from fusewright.compiler.targets.numpy.network import evaluate
from fusewright.compiler.targets.torch.kernels import KERNELS
from fusewright.compiler.targets.torch.module import FusionModule
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.population import Population, member_program

from ..support.programs import random_inputs, random_weights, specs

BATCH = 3
POPULATIONS = settings.default.max_examples // 2 if settings.default else 30


numbers = st.lists(st.integers(0, 3), min_size=1, max_size=5)
"""Members of a population: the same genotype may be there more than once."""


def genotypes(spec: Spec, seeds: Sequence[int]) -> Sequence[Network]:
    """Random genotypes of a random space."""
    network = checked(spec)
    try:
        return [checked(random_genotype(network, seed)) for seed in seeds]
    except DiagnosticError:
        assume(False)
        raise AssertionError from None


def alone(network: Network) -> Program:
    """What a network computes by itself in training."""
    return with_draws(hoist(optimise(lower(build(network)))).program)


def beside(network: Network) -> Program:
    """What it computes beside others."""
    return with_draws(member_program(network).program)


def weights_of(members: Sequence[Program]) -> dict[str, np.ndarray]:
    return {
        member_name(str(place), name): array
        for place, program in enumerate(members)
        for name, array in random_weights(program, place).items()
    }


def stacked(program: Program, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights under the names that a Program has after its parameters were stacked."""
    return {
        spec.name: np.stack([weights[row] for row in spec.rows])
        if spec.rows
        else weights[spec.name]
        for spec in program.parameters
    }


def inputs_of(program: Program, seed: int = 0) -> dict[str, np.ndarray]:
    features = [item for item in program.inputs if item.kind != "keys"]
    inputs = dict(random_inputs(Program(tuple(features), (), (), 0), BATCH, seed))
    keys = [item for item in program.inputs if item.kind == "keys"]
    if keys:
        count = keys[0].type.axes[0].size or 0
        inputs[KEYS] = np.random.default_rng(seed).integers(-(2**62), 2**62, count)
    return inputs


@settings(max_examples=POPULATIONS)
@given(specs(), numbers)
def test_a_joined_program_computes_what_its_members_do(spec: Spec, seeds: Sequence[int]) -> None:
    """In the reference, in both modes, with dropout, joined and after every pass."""
    members = [beside(network) for network in genotypes(spec, seeds)]
    joint = join({str(place): program for place, program in enumerate(members)})
    weights, inputs = weights_of(members), inputs_of(joint)
    for training in (False, True):
        expected = [
            evaluate(
                program,
                {**inputs, KEYS: inputs[KEYS][place : place + 1]} if KEYS in inputs else inputs,
                random_weights(program, place),
                training,
            )
            for place, program in enumerate(members)
        ]
        program = validate(joint, "join")
        assert np.allclose(evaluate(program, inputs, weights, training), expected, atol=1e-10)
        for name, run in passes("population").items():
            program = validate(run(program), name)
            found = evaluate(program, inputs, stacked(program, weights), training)
            assert np.allclose(found, expected, rtol=1e-10, atol=1e-10), name
            assert run(program) == program, f"{name} is not idempotent"
    assert parse_program(print_program(program)) == program


@settings(max_examples=POPULATIONS, deadline=None)
@given(specs(), numbers, st.booleans())
def test_members_train_as_they_do_alone(spec: Spec, seeds: Sequence[int], kernels: bool) -> None:
    """Values, gradients, running statistics and draws of dropout, in float64."""
    networks = genotypes(spec, seeds)
    programs = [member_program(network).program for network in networks]
    population = Population(programs, [Settings()] * len(programs), torch.device("cpu"))
    module = population.module.double().train()
    inputs = tensors(inputs_of(module.program))
    labels = torch.randn(len(networks), BATCH, dtype=torch.float64)
    singles: list[FusionModule] = []
    for place, network in enumerate(networks):
        program = alone(network)
        single = FusionModule(program, kernels=KERNELS if kernels else {}).double().train()
        arrays = {n: a.astype(np.float64) for n, a in random_weights(program, place).items()}
        single.load_state_dict({name: torch.from_numpy(a) for name, a in arrays.items()})
        population.load(place, arrays)
        singles.append(single)
    results = module(inputs)
    (results.mean(-1) * labels).sum().backward()
    for place, single in enumerate(singles):
        own = {k: v[place : place + 1] if k == KEYS else v for k, v in inputs.items()}
        result = single(
            {k: v for k, v in own.items() if k in {i.name for i in single.program.inputs}}
        )
        (result.mean(-1) * labels[place]).sum().backward()
        assert torch.allclose(results[place], result, rtol=1e-10, atol=1e-10)
        state = population.tensors(place)
        for name, tensor in single.state_dict().items():
            assert torch.allclose(state[name], tensor, rtol=1e-10, atol=1e-10), name
        gradients = dict(module.named_parameters())
        for name, parameter in single.named_parameters():
            held, row = population.parameters(place)[name]
            found = gradients[held].grad
            found = found if found is None or row is None else found[row]
            nothing = torch.zeros_like(parameter)
            expected = nothing if parameter.grad is None else parameter.grad
            found = nothing if found is None else found
            assert torch.allclose(found, expected, rtol=1e-9, atol=1e-10), name


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(a).double() if a.dtype == np.float32 else torch.from_numpy(a)
        for name, a in arrays.items()
    }
