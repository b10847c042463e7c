"""What torch makes of a module: a `pt2` file, a copy, a compiled program."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.target import Subject
from fusewright.compiler.targets.torch.kernels import KERNELS, NO_KERNELS, Kernels
from fusewright.compiler.targets.torch.module import FusionModule, load_weights
from fusewright.compiler.targets.torch.program import exported, key, saved

from ...support.programs import random_inputs, random_weights, specs
from .test_python_target import HOSTILE, derived, lowered, tensors, with_options

INJECTIONS = (
    'x", print("INJECTED")) or getattr(self, "x',
    "x'], print('INJECTED')) or features['x",
    "x\\'] + [print('INJECTED')] #",
    "{print('INJECTED')}",
    "%(x)s %s %",
    "a.b-c~d",
    "type",
)
MODALITY = "modality `NAME m` optional { `NAME`[c 2, t *] `NAME 2`[c 3] }"
CELL = "cell `NAME 3`(`NAME`, `NAME 2`) { `NAME 4` = LinearGLU(x, y) }"
SMALL = f"""
network n(C = 2, L = 1)
use bmnas
{MODALITY}
{CELL}
predict 2 classes
"""
NAMES = (*HOSTILE, *INJECTIONS)
PARTS = 5
"""Networks that have the names between them, since exporting takes long, however few there are."""


def module_of(spec: Spec, seed: int = 1) -> FusionModule:
    program, _ = lowered(spec)
    module = FusionModule(program)
    load_weights(module, random_weights(program, seed))
    return module.eval()


def keyed(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key(name): tensor for name, tensor in inputs.items()}


def assert_equal_to(module: FusionModule, content: bytes, seed: int = 1) -> None:
    """What a file computes is what the module does, for one sample and for several."""
    found: Any = torch.export.load(BytesIO(content)).module()
    program = module.program
    with torch.no_grad():
        for batch in (1, 5):
            inputs = with_options(tensors(random_inputs(program, batch, seed)), program, seed)
            expected = module(inputs)
            assert torch.allclose(found(keyed(inputs)), expected, rtol=1e-5, atol=1e-5)
            turned = dict(reversed(list(inputs.items())))
            assert torch.equal(found(keyed(turned)), found(keyed(inputs)))


@settings(max_examples=8)
@given(specs())
def test_random_programs_are_equal_to_the_module(spec: Spec) -> None:
    spec = derived(spec, 3)
    module = module_of(spec)
    assert_equal_to(module, saved(exported(module), Subject(checked(spec)).about))


@pytest.mark.parametrize("names", [NAMES[i::PARTS] for i in range(PARTS)], ids=repr)
def test_names_are_no_code(names: Sequence[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Each as that of a modality, two features, a Cell and a Step; one has an axis of any size."""
    parts = [part.replace("NAME", name) for part in (MODALITY, CELL) for name in names]
    text = SMALL.replace(MODALITY, "\n".join(parts)).replace(CELL, "")
    spec = parse(text.replace("t *", "t 2").replace("t 2", "t *", 1))
    assert len(spec.cells) == len(names)
    module = module_of(spec)
    assert_equal_to(module, saved(exported(module), Subject(checked(spec)).about))
    assert "INJECTED" not in "".join(capfd.readouterr())


ALONE = """
import sys, torch
sys.modules["fusewright"] = None
case = torch.load("case.pt")
extra = {"fusewright.spec": ""}
found = torch.export.load("net.pt2", extra_files=extra).module()(case["inputs"])
assert torch.allclose(found, case["logits"], rtol=1e-5, atol=1e-5)
assert extra["fusewright.spec"] == case["spec"]
"""


@pytest.mark.parametrize("name", [INJECTIONS[0], "名前"])
def test_a_file_runs_without_fusewright(name: str, tmp_path: Path) -> None:
    spec = parse(SMALL.replace("NAME", name))
    module = module_of(spec)
    (tmp_path / "net.pt2").write_bytes(saved(exported(module), Subject(checked(spec)).about))
    program = module.program
    inputs = with_options(tensors(random_inputs(program, 4, 2)), program, 2)
    case = {"inputs": keyed(inputs), "logits": module(inputs).detach(), "spec": str(spec)}
    torch.save(case, tmp_path / "case.pt")
    command = [sys.executable, "-c", ALONE]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


def test_names_that_need_no_other_spelling_are_the_keys() -> None:
    program = fw.compile(parse(SMALL.replace("NAME", "Image_2")), "pt2")
    called = program.call_spec.in_spec
    assert called is not None
    (features,) = called.child(0).children()
    names = {"Image_2", "Image_2.lengths", "Image_2%202", "Image_2%20m.present"}
    assert set(features.context) == names
    assert set(program.state_dict) == {f"p{i}" for i in range(len(program.state_dict))}


SPACE = parse("""
network n(C = 4, L = 2, dropout = 0)
use bmnas
modality a { A[t 4, c 6] B[c 5] }
pool Sum, LinearGLU, ConcatFC
cell Cell[2](?, ?) { Step[2] = ?(?, ?) }
predict 3 classes
""")
DROPPING = parse(str(SPACE).replace("dropout = 0", "dropout = 0.5"))
COPIES: Mapping[str, Callable[[FusionModule], FusionModule]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda module: pickle.loads(pickle.dumps(module)),
}


def inputs_of(module: FusionModule, seed: int = 0) -> dict[str, Tensor]:
    return tensors(random_inputs(module.program, 4, seed))


@pytest.mark.parametrize("kernels", [NO_KERNELS, KERNELS], ids=["without", "with"])
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_computes_the_same_with_parameters_of_its_own(way: str, kernels: Kernels) -> None:
    module = FusionModule(fw.compile(DROPPING, "torch").program, kernels=kernels).train()
    found = COPIES[way](module)
    results = list[Tensor]()
    for one in (module, found):
        torch.manual_seed(0)
        results.append(one(inputs_of(module)))
    assert found.training
    assert torch.equal(*results)
    states = module.state_dict(), found.state_dict()
    assert list(states[0]) == list(states[1])
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name  # running statistics have moved alike
        assert tensor.data_ptr() != states[1][name].data_ptr(), name
    with torch.no_grad():
        next(found.weight_parameters()).add_(1)
    assert torch.equal(module.eval()(inputs_of(module)), module(inputs_of(module)))
    assert not torch.equal(found.eval()(inputs_of(module)), module(inputs_of(module)))


def test_a_module_is_exported_in_training_mode() -> None:
    module = fw.compile(DROPPING, "torch").train()
    called = torch.export.export(copy.deepcopy(module), (inputs_of(module),)).module()
    results = list[Tensor]()
    for one in (module, called):
        torch.manual_seed(0)
        results += [one(inputs_of(module, seed)) for seed in (1, 2)]
    assert torch.allclose(torch.cat(results[:2]), torch.cat(results[2:]), atol=1e-6)
    state = called.state_dict()
    for name, tensor in module.state_dict().items():
        assert torch.allclose(state[name], tensor, atol=1e-6), name


def test_names_of_cells_take_nothing_from_a_module() -> None:
    text = SMALL.replace("`NAME 3`", "_training_graph").replace("NAME", "_places")
    module = fw.compile(parse(text), "torch")
    assert set(module.state_dict()) == {p.name for p in module.program.parameters}
    assert module(inputs_of(module)).shape == (4, 2)


class Counting:
    """In place of torch.compile's back end: runs graphs as they are, and remembers them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.graphs = list[torch.fx.GraphModule]()
        self.asked = Counter[str]()
        compile = torch.compile

        def counted(model: Any, *, mode: str, **options: Any) -> Any:
            self.asked[mode] += 1
            return compile(model, backend=self._backend, **options)

        torch.compiler.reset()
        monkeypatch.setattr(torch, "compile", counted)

    def _backend(self, graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Any:
        self.graphs.append(graph)
        return graph.forward


@pytest.mark.filterwarnings("ignore:.*jit:DeprecationWarning")
@pytest.mark.parametrize("way", ["itself", *COPIES])
def test_each_mode_is_compiled_once_with_parameters_that_stay_where_they_are(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an argument that a graph writes may move, no CUDA graph is made of it."""
    counting = Counting(monkeypatch)
    module, plain = fw.compile(SPACE, "torch"), fw.compile(SPACE, "torch")
    module.compile_graphs()
    module = module if way == "itself" else COPIES[way](module)
    assert set(counting.asked) == {"default"}
    for training in (True, False):
        for seed in range(3):
            inputs = tensors(random_inputs(module.program, 4, seed))
            with torch.set_grad_enabled(training):
                found = module.train(training)(inputs)
                assert torch.allclose(found, plain.train(training)(inputs), atol=1e-6)
    assert len(counting.graphs) == 2
    for graph in counting.graphs:
        places = [node for node in graph.graph.nodes if node.op == "placeholder"]
        moving = [n for n in places if "_dynamo_static_input_type" not in n.meta["tensor_dict"]]
        assert len(moving) == len(module.program.inputs) < len(places)
    state = plain.state_dict()
    assert all(torch.allclose(t, state[n], atol=1e-6) for n, t in module.state_dict().items())
