"""The `pt2` target: the same numbers as the module, and names that never become code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

import fusewright as fw
from fusewright.compiler.parse import parse
from fusewright.compiler.spec import Spec
from fusewright.compiler.targets.torch.module import FusionModule, load_weights
from fusewright.compiler.targets.torch.program import exported, key, saved

from .programs import random_inputs, random_weights, specs
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
SMALL = """
network n(C = 2, L = 1)
use bmnas
modality `NAME m` optional { `NAME`[c 2, t *] `NAME 2`[c 3] }
cell `NAME 3`(`NAME`, `NAME 2`) { `NAME 4` = LinearGLU(x, y) }
predict 2 classes
"""


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
    assert_equal_to(module, saved(exported(module), str(spec)))


@pytest.mark.parametrize("name", [*HOSTILE, *INJECTIONS])
def test_names_are_no_code(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    spec = parse(SMALL.replace("NAME", name))
    module = module_of(spec)
    assert_equal_to(module, saved(exported(module), str(spec)))
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
    (tmp_path / "net.pt2").write_bytes(saved(exported(module), str(spec)))
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
