"""Cells, Steps and the head of modules can be watched, and the embedding before the head be had."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

import fusewright as fw
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.passes import optimise
from fusewright.compiler.targets.torch.module import FusionModule

from ...support.programs import random_inputs, specs
from .test_python_target import network_of

NETWORK = """network n(C = 4, L = 2) use bmnas modality m { A[c 3] B[t 2, c 5] }
cell K(A, B) { S = Sum(x, y) T = ConcatFC(x, S) } cell M(K, A) { S = Attention(x, y) }
predict 3 classes"""
HYPERNET = NETWORK.replace("cell K", "pool Sum, ConcatFC cell K").replace("Sum(x, y)", "?(?, ?)")
PLACES = ["A.adapt", "B.adapt", "K.S", "K.T", "K", "M.S", "M", "output", "head"]


def features(batch: int = 4) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {"A": torch.randn(batch, 3), "B": torch.randn(batch, 2, 5)}


def watch(module: nn.Module, fired: list[Any]) -> list[Any]:
    """Hooks on every part, which note its name, what it reads, and what it gives."""

    def hook(name: str) -> Any:
        return lambda _, inputs, output: fired.append((name, inputs, output))

    parts = [(name, part) for name, part in module.named_modules() if name]
    return [part.register_forward_hook(hook(name)) for name, part in parts]


@pytest.mark.parametrize("text", [NETWORK, HYPERNET], ids=["network", "hypernet"])
def test_hooks_fire_on_every_place_and_change_nothing(text: str) -> None:
    module = fw.compile(text, "torch", seed=1).eval()
    before = module(features())
    fired: list[Any] = []
    handles = watch(module, fired)
    assert torch.allclose(module(features()), before, atol=1e-6)
    assert [name for name, *_ in fired] == PLACES
    gave = {name: output for name, _, output in fired}
    read = {name: inputs for name, inputs, _ in fired}
    assert torch.allclose(gave["head"], before, atol=1e-6)
    pairs = zip(read["K.T"], (read["K"][0], gave["K.S"]), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs) or "?" in text
    assert torch.equal(module.embed(features()), gave["output"].flatten(1))
    for handle in handles:
        handle.remove()
    assert torch.equal(module(features()), before)


def test_what_a_hook_returns_takes_the_place_of_a_value_and_gradients_flow() -> None:
    module = fw.compile(NETWORK, "torch", seed=1).train()
    kept: list[Tensor] = []

    def doubled(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        output.retain_grad()
        kept.append(output)
        return 2 * output

    with module.get_submodule("M").register_forward_hook(doubled):
        module(features()).sum().backward()
    assert kept[0].grad is not None
    assert all(p.grad is not None for p in module.parameters())
    silent = {"K.S": torch.zeros(4, 2, 4)}
    module.eval()
    with module.get_submodule("K.S").register_forward_hook(lambda *_: silent["K.S"]):
        changed = module(features())
    assert not torch.allclose(changed, module(features()))


def test_modules_with_hooks_are_copied_and_saved() -> None:
    module = fw.compile(NETWORK, "torch", seed=1).eval()
    embedding = module.embed(features())
    again = pickle.loads(pickle.dumps(copy.deepcopy(module)))
    assert torch.equal(again.embed(features()), embedding)
    assert module.state_dict().keys() == again.state_dict().keys()


def test_the_head_is_applied_to_the_embedding() -> None:
    text = NETWORK.replace("use bmnas", "").replace("ConcatFC", "LinearGLU")
    module = fw.compile(text, "torch", seed=1).eval()
    weights = {name: torch.from_numpy(array) for name, array in module.arrays().items()}
    logits = module.embed(features()) @ weights["head.W"] + weights["head.b"]
    assert torch.allclose(logits, module(features()), atol=1e-6)


def test_a_module_of_no_specification_has_no_embedding() -> None:
    module = FusionModule(optimise(lower(fw.graph(fw.loads(NETWORK)))))
    with pytest.raises(fw.DiagnosticError, match="was not compiled from one specification"):
        module.embed(features())


@given(specs())
def test_watching_gives_the_same_numbers_of_every_program(spec: fw.Spec) -> None:
    module = fw.compile(spec, "torch").eval()
    inputs = {n: torch.from_numpy(a) for n, a in random_inputs(module.program, 3, 0).items()}
    with torch.no_grad():
        expected = module(inputs)
        fired: list[Any] = []
        watch(module, fired)
        scale = max(1.0, float(expected.abs().max()))
        assert float((module(inputs) - expected).abs().max()) <= 1e-4 * scale
    assert fired[-1][0] == (spec.heads[-1].name if spec.heads else "head")


def test_hooks_fire_on_the_parts_of_generated_modules() -> None:
    module = network_of(fw.compile(NETWORK, "python")).eval()
    fired: list[Any] = []
    watch(module, fired)
    module(features())
    names = [name for name, *_ in fired]
    assert [name for name in names if name in PLACES] == PLACES
