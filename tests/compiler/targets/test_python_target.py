"""The Python target: the same numbers as the torch target, in a file that stands alone."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.load import load
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.names import lengths_name
from fusewright.compiler.network.network import Network
from fusewright.compiler.passes import optimise
from fusewright.compiler.program.program import Program
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.python.modules import MODULE_NAMES
from fusewright.compiler.targets.python.source import source
from fusewright.compiler.targets.python.terms import Recorder
from fusewright.compiler.targets.torch.module import FusionModule, load_weights
from fusewright.runtime.genotypes.derive import derive

from ...support.paths import EXAMPLES
from ...support.programs import random_inputs, random_weights, specs, without_dropout

GENOTYPES = sorted(EXAMPLES.glob("*_genotype.fuse"))
RUFF = Path(sys.executable).parent / "ruff"
seeds = st.integers(0, 2**31)


def lowered(spec: Spec) -> tuple[Program, Network]:
    network = checked(spec)
    return lower(build(network)), network


def derived(spec: Spec, seed: int) -> Spec:
    """A discrete network of a search space."""
    network = checked(spec)
    hypernet = lower(build(network), "per_input")
    return derive(network, random_weights(hypernet, seed), "per_input")


def run_text(text: str) -> dict[str, Any]:
    """What the file defines when it runs."""
    defined: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "generated.py", "exec"), defined)
    return defined


def network_of(text: str) -> nn.Module:
    defined = run_text(text)
    (name,) = defined["__all__"]
    network: nn.Module = defined[name]()
    return network


def tensors(inputs: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in inputs.items()}


def without_options(inputs: dict[str, Tensor], program: Program) -> dict[str, Tensor]:
    return {i.name: inputs[i.name] for i in program.inputs if i.kind == "feature"}


def with_options(inputs: dict[str, Tensor], program: Program, seed: int) -> dict[str, Tensor]:
    """The features with lengths and presence for all of them."""
    generator = np.random.default_rng(seed)
    features = without_options(inputs, program)
    batch = len(next(iter(features.values())))
    for item in program.inputs:
        if item.kind == "presence":
            features[item.name] = torch.from_numpy(generator.integers(0, 2, batch))
        elif item.kind == "lengths":
            name = item.name.removesuffix(lengths_name(""))
            axis = next(i for i in program.inputs if i.name == name).type.names.index("t") + 1
            longest = features[name].shape[axis]
            features[item.name] = torch.from_numpy(generator.integers(1, longest + 1, batch))
    return features


def pair(program: Program, network: Network, seed: int) -> tuple[FusionModule, nn.Module]:
    """The module of both targets, with the same weights."""
    torch_module = FusionModule(program)
    module = network_of(source(program, network))
    load_weights(torch_module, random_weights(program, seed))
    module.load_state_dict(torch_module.state_dict())
    return torch_module, module


def assert_equal_states(torch_module: nn.Module, module: nn.Module) -> None:
    expected, found = torch_module.state_dict(), module.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], t) for name, t in expected.items())


def assert_equal_networks(program: Program, network: Network, seed: int) -> None:
    """Both targets give the same to the last bit, whatever is left out, in both modes."""
    torch_module, module = pair(program, network, seed)
    torch_module.eval()
    module.eval()
    with torch.no_grad():
        for batch in (1, 7):
            some = tensors(random_inputs(program, batch, seed))
            for inputs in (without_options(some, program), some, with_options(some, program, seed)):
                found = module(inputs)
                assert found.shape == (batch, network.head.count)
                assert torch.equal(found, torch_module(inputs))
    assert_equal_training(program, network, seed)


def assert_equal_training(program: Program, network: Network, seed: int) -> None:
    """A step of training gives the same, with the same random numbers, statistics and gradients.

    In double precision, since gradients that cancel out are only rounding.
    """
    torch_module, module = (each.double() for each in pair(program, network, seed))
    some = tensors(random_inputs(program, 7, seed))
    inputs = {n: t.double() if t.is_floating_point() else t for n, t in some.items()}
    results: list[Tensor] = []
    for each in (torch_module, module):
        torch.manual_seed(seed)
        results.append(each.train()(inputs))
        results[-1].sin().sum().backward()  # type: ignore[no-untyped-call]
    assert torch.equal(*results)
    assert_equal_states(torch_module, module)
    named = dict(module.named_parameters())
    for name, parameter in torch_module.named_parameters():
        found, expected = named[name].grad, parameter.grad
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9)


# Numbers


@pytest.mark.parametrize("path", GENOTYPES, ids=lambda path: path.stem)
def test_an_example_gives_the_same_bits(path: Path) -> None:
    program, network = lowered(load(path))
    assert_equal_networks(program, network, 1)
    assert_equal_training(without_dropout(program), network, 2)


@given(specs(), seeds)
def test_random_networks_give_the_same_bits(spec: Spec, seed: int) -> None:
    program, network = lowered(derived(spec, seed))
    assert_equal_networks(program, network, seed)
    assert_equal_training(without_dropout(program), network, seed)


@given(specs(), seeds)
def test_passes_change_rounding_alone(spec: Spec, seed: int) -> None:
    program, network = lowered(derived(spec, seed))
    module = network_of(source(program, network)).eval()
    passed = FusionModule(optimise(program)).eval()
    load_weights(passed, random_weights(program, seed))
    module.load_state_dict(passed.state_dict())
    inputs = tensors(random_inputs(program, 3, seed))
    with torch.no_grad():
        expected, found = passed(inputs), module(inputs)
    assert (found - expected).abs().max() <= 1e-5 * max(1.0, float(expected.abs().max()))


# Weights


@given(specs(), seeds)
def test_weights_load_both_ways(spec: Spec, seed: int) -> None:
    program, network = lowered(derived(spec, seed))
    module = network_of(source(program, network))
    torch_module = FusionModule(program)
    shapes = {p.name: p.sizes for p in program.parameters}
    assert {name: tuple(t.shape) for name, t in module.state_dict().items()} == shapes
    trained = {p.name for p in program.parameters if p.kind == "weight"}
    assert {name for name, _ in module.named_parameters()} == trained
    torch_module.load_state_dict(module.state_dict())
    assert_equal_states(torch_module, module)
    load_weights(torch_module, random_weights(program, seed))
    module.load_state_dict(torch_module.state_dict())
    assert_equal_states(torch_module, module)


@pytest.mark.parametrize("path", GENOTYPES[:2], ids=lambda path: path.stem)
def test_initial_values_are_those_of_the_specification(path: Path) -> None:
    program, network = lowered(load(path))
    state = network_of(source(program, network)).state_dict()
    for spec in program.parameters:
        value = state[spec.name]
        if isinstance(spec.initial, float):
            assert (value == spec.initial).all(), spec.name
        else:
            assert 0.9 * spec.bound < value.abs().max() <= spec.bound * (1 + 1e-6), spec.name


# The file


ALONE = """
import sys
for name in ("fusewright", "numpy", "networkx"):
    sys.modules[name] = None
import generated, torch
network = getattr(generated, generated.__all__[0])().eval()
print(tuple(network({name: torch.ones(2, *sizes) for name, sizes in SIZES.items()}).shape))
"""


@pytest.mark.parametrize("stem", ["ego1_genotype", "mmimdb1_genotype"])
@pytest.mark.filterwarnings("ignore")
def test_the_file_needs_torch_alone(stem: str, tmp_path: Path) -> None:
    program, network = lowered(load(GENOTYPES[0].with_stem(stem)))
    (tmp_path / "generated.py").write_text(source(program, network), encoding="utf-8")
    sizes = {i.name: [a.size or 4 for a in i.type.axes] for i in program.inputs if i.type.axes}
    script = ALONE.replace("SIZES", repr(sizes))
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.stdout == f"(2, {network.head.count})\n", found.stderr


def ruff(text: str, *arguments: str) -> None:
    options = ("--isolated", "--no-cache", "--stdin-filename", "generated.py", "-")
    command = [str(RUFF), *arguments, *options]
    found = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def assert_clean(text: str) -> None:
    """Linted and formatted, whether lines break at 88 or at 100; no line of code is longer."""
    ruff(text, "check", "--output-format", "concise")
    for width in ("88", "100"):
        ruff(text, "format", "--diff", "--line-length", width)
    assert max(map(len, text.splitlines())) <= 100


needs_ruff = pytest.mark.skipif(not RUFF.exists(), reason="ruff is not installed")


@needs_ruff
@pytest.mark.parametrize("path", GENOTYPES, ids=lambda path: path.stem)
def test_an_example_is_written_cleanly(path: Path) -> None:
    program, network = lowered(load(path))
    text = source(program, network)
    assert_clean(text)
    assert source(program, network) == text


EVERYTHING = """
network everything(C = 8, L = 4, dropout = 0.1)
use fusion
use bmnas
use paper
op Own(x, y) {
  l = relu(x @ W[C, C] + b[C])
  unread = batchnorm(y)
  s[C] = 0.5
  return Inner(l, y) * s + 1 / (2 + abs(l)) - 3 * l + max(x, 0.5)
}
op Inner(x, y) = layernorm(MHA(x, heads = 2) + y) * tanh(x @ W[C, C]) + sum(x, y, x, y, x, y)
op First(x, y) = x
op Deep(x) = x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x
role adapt(f) for text = resample(f, by = linear) @ W[c, C]
role adapt(f) for video = MeanPool(f)
modality image optional from "torchvision:vgg19" {
  Image_1[c 16, h 5, w 5] at "features.4"
  Image_2[h *, c 16, w *]
}
modality text {
  Text_1[t *, c 12]
  Text_2[c 12]
}
modality video optional { Video_1[c 6, t *, h 2, w 2] Video_2[c 6, t 4] Video_3[t 8, c 6] }
cell First(Image_1, Text_1, Video_1) {
  S1 = fusion.GMU(x, y)
  S2 = MHA(S1, z, heads = 4)
  S3 = AoA(S2, S2)
  S4 = FiLM(S3, x)
  S5 = WeightedSum(x, S3, S4)
  S6 = MMTM(S5, S1)
  S7 = SE(S6)
  return S7, S5
}
cell Second(query = First, Video_2) {
  Step_1 = bmnas.Attention(query, y)
  Step_2 = bmnas.LinearGLU(Step_1, Step_1)
  Step_3 = paper.LinearGLU(Step_2, query)
  Step_4 = Own(Step_3, Step_1)
  Step_5 = First(Step_4, Step_3)
  Step_6 = Deep(Step_5)
  A_step_of_a_rather_long_name = fusion.Concat(query, y, Step_1, Step_2, Step_3, Step_4, Step_5)
  Unread = fusion.LowRank(Step_6, Step_4, rank = 3)
  return A_step_of_a_rather_long_name, Step_5
}
cell Third[2](Second, Video_3) { S = LowRank(x, y) }
output Third_1, Third_2, Image_2, Text_2
predict 5 labels
"""


def test_everything_gives_the_same_bits() -> None:
    program, network = lowered(parse(EVERYTHING))
    for seed in range(3):
        assert_equal_networks(program, network, seed)


@needs_ruff
def test_everything_is_written_cleanly() -> None:
    assert_clean(source(*lowered(parse(EVERYTHING))))


def test_equal_applications_share_a_class() -> None:
    program, network = lowered(load(GENOTYPES[0].with_stem("ego1_genotype")))
    text = source(program, network)
    classes = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    assert classes == (
        "Named Batchnorm Adapt Adapt_2 Sum Layernorm Merge Cell_1 Cell_2 Combine Head Ego1".split()
    )
    assert "op Sum(x, y) = x + y" in text
    assert "        Step_3 = self.Step_3(Step_2, Step_1)  # Sum\n" in text
    assert "        return self.merge(x, Step_1, Step_2, Step_3)\n" in text


def test_the_header_has_the_specification() -> None:
    program, network = lowered(parse(EVERYTHING))
    doc = str(run_text(source(program, network))["__doc__"])
    found = "\n".join(line.removeprefix("    ") for line in doc.splitlines())
    assert print_spec(network.spec) in found + "\n"


# Names that want out


HOSTILE = (
    '"""',
    "'''\\",
    '"); import os #',
    "\\",
    '\\"""',
    '""""""""',
    "a\\",
    "# noqa",
    "{x}",
    "training",
    "forward",
    "self",
    "torch",
    "nn",
    "Tensor",
    "Named",
    "super",
    "features",
    "device",
    "state_dict",
    "__class__",
    "__x",
    "_modules",
    "class",
    "None",
    "l",
    "1e5",
    "x y.z%",
    "step.one",
    "return",
    "Video 3",
    "naïve",
    "ﬁ",
    "ª",
    "Ⅷ",
    "名前",
    "😀",
    "e\u0301",
    "z",
)


def hostile(name: str) -> Spec:
    """A network in which most things have one name."""
    text = """
    network `NAME`(C = 4, L = 2, dropout = 0.1)
    op `NAME`(`NAME`, `NAME 2`) {
      `NAME 3`[C] = ones
      `NAME 4` = layernorm(`NAME` @ `NAME 5`[C, C]) + Inner(`NAME 2`)
      return batchnorm(`NAME 4` * `NAME 3`) + `NAME 4`
    }
    op Inner(`NAME`) = `NAME` @ `NAME 6`[C, C] + attention(`NAME`, `NAME`, `NAME`, heads = 2)
    op Outer(x, y) = `NAME`(x, y) + layernorm(x @ `NAME 7`[C, C]) + x @ layernorm[C, C]
    modality `NAME` optional { `NAME`[c 3, t *] at AT }
    modality other { `NAME 8`[c 3] }
    cell `NAME 9`(`NAME` = `NAME`, `NAME 8`) {
      `NAME 10` = `NAME`(`NAME`, y)
      `train` = Outer(`NAME 10`, y)
      `NAME 11` = Outer(`NAME 10`, y)
    }
    cell `NAME 12`(`NAME 9`, `NAME 9`) { `half` = `NAME`(x, y) return `half` }
    cell `type`(`NAME 12`, `NAME 8`) { `NAME` = `NAME`(x, y) }
    predict 2 classes
    """
    return parse(text.replace("NAME", name).replace("AT", json.dumps(name)))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    program, network = lowered(hostile(name))
    assert_equal_networks(program, network, 1)
    text = source(program, network)
    assert_same_shape(text, source(*lowered(hostile("Plain"))))
    assert name in str(run_text(text)["__doc__"])


def test_what_cannot_be_printed_stays_in_the_docstring() -> None:
    path = '\u2028\x7f\x00\ud800\n"""\\'
    spec = hostile("Plain")
    feature = replace(spec.modalities[0].features[0], at=path)
    first = replace(spec.modalities[0], features=(feature,), backbone=path)
    program, network = lowered(replace(spec, modalities=(first, *spec.modalities[1:])))
    text = source(program, network)
    assert text.replace("\n", "").isprintable()
    assert_same_shape(text, source(*lowered(spec)))
    assert "\\u2028" in str(run_text(text)["__doc__"])


def assert_same_shape(text: str, plain: str) -> None:
    """Both files do the same things: their names alone differ."""
    found, expected = ast.parse(text), ast.parse(plain)
    for tree in (found, expected):
        assert {type(node) for node in tree.body[1:]} == {
            ast.Import,
            ast.ImportFrom,
            ast.Assign,
            ast.ClassDef,
            ast.FunctionDef,
        }
    modules = [
        [n.module for n in t.body if isinstance(n, ast.ImportFrom) if n.module != "typing"]
        for t in (found, expected)
    ]
    assert modules[0] == modules[1]
    names = ("super", "next", "iter", "object", "Named", "uniform")
    called = [
        sorted(
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            if isinstance(node.func, ast.Name) and node.func.id in names
        )
        for tree in (found, expected)
    ]
    assert called[0] == called[1]


def test_names_of_torch_modules_are_known() -> None:
    public = {name for name in dir(nn.Module()) if not name.startswith("_")}
    assert public <= MODULE_NAMES


# What cannot be recorded


def test_a_decision_at_run_time_is_refused() -> None:
    term = Recorder().term("x")
    with pytest.raises(TypeError, match="cannot decide"):
        bool(term > 0)
    with pytest.raises(TypeError):
        iter(term)
    with pytest.raises(TypeError, match="a set cannot be written"):
        term.sum(set())
