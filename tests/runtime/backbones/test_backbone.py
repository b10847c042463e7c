"""Backbones of our own are opened by name, with weights that are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.system import archives
from fusewright.runtime.backbones.backbone import open_backbone, open_structure
from fusewright.runtime.backbones.identity import weights_digest
from fusewright.runtime.backbones.options import BackboneOptions, read_options
from fusewright.runtime.backbones.weights import read_state
from tests.support.backbones import HERE, OPTIONS, Pictures


def said(error: pytest.ExceptionInfo[DiagnosticError]) -> tuple[str, str]:
    """The code and the message of what was raised."""
    (diagnostic,) = error.value.diagnostics
    return diagnostic.code, diagnostic.message


def given(path: Path) -> BackboneOptions:
    return OPTIONS.with_options(pretrained=[f"module:pictures={path}"])


# Which one it is


def test_the_same_seed_gives_the_same_backbone_and_leaves_other_numbers_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one = open_backbone("module:pictures", OPTIONS, seed=1)
    assert torch.equal(torch.rand(3), expected)
    assert open_backbone("module:pictures", OPTIONS, seed=1).identity == one.identity
    other = open_backbone("module:pictures", OPTIONS, seed=2).identity
    assert other.weights != one.identity.weights
    assert other.structure == one.identity.structure
    assert not one.module.training


def test_a_digest_knows_names_types_shapes_and_buffers() -> None:
    def digest(change: Any = lambda _: None, **state: torch.Tensor) -> str:
        module = nn.Module()
        for name, tensor in (state or {"a": torch.arange(6.0)}).items():
            module.register_buffer(name, tensor, persistent=False)
        change(module)
        return weights_digest(module)

    digests = [
        digest(),
        digest(b=torch.arange(6.0)),
        digest(a=torch.arange(6.0).half()),
        digest(a=torch.arange(6.0).bfloat16()),
        digest(a=torch.arange(6.0).reshape(2, 3)),
        digest(a=torch.arange(6.0) + 1),
        digest(a=torch.empty(0)),
    ]
    assert len(set(digests)) == len(digests)
    assert digest(a=torch.arange(12.0)[::2] / 2) == digest()


def test_a_structure_has_no_weights() -> None:
    structure = open_structure("module:pictures", OPTIONS)
    assert {p.device.type for p in structure.module.parameters()} == {"meta"}
    assert structure.weights == "none"
    assert structure.transform["mean"] == [0.5, 0.5, 0.5]


# Weights


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_weights_are_taken_from_a_file(ending: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    source = Pictures()
    path = tmp_path / f"w.{ending}"
    state: dict[str, Any] = source.state_dict()
    save_file(state, path) if ending == "safetensors" else torch.save({"model": state}, path)
    opened = open_backbone("module:pictures", given(path))
    assert opened.weights == "given"
    assert opened.identity.weights == weights_digest(source)


def test_weights_of_half_precision_keep_their_values(tmp_path: Path) -> None:
    state = {
        k: v.bfloat16() if v.is_floating_point() else v for k, v in Pictures().state_dict().items()
    }
    save_file(state, tmp_path / "w.safetensors")
    opened = open_backbone("module:pictures", given(tmp_path / "w.safetensors"))
    assert torch.equal(opened.module.get_parameter("head.bias"), state["head.bias"].float())


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    whole = Pictures().state_dict()
    for change, expected in (
        ({"head.bias": None}, "it lacks `head.bias`"),
        ({"head.more": torch.zeros(2)}, "it has too much `head.more`"),
        ({"head.bias": torch.zeros(2)}, "it has in other shapes `head.bias`"),
    ):
        save_file({k: v for k, v in {**whole, **change}.items() if v is not None}, path)
        with pytest.raises(DiagnosticError) as error:
            open_backbone("module:pictures", given(path))
        assert said(error) == ("E505", f"`{path}` does not fit `module:pictures`: {expected}")


class Payload:
    """What makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.folder,)


def test_code_in_a_file_of_weights_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"model": Payload(tmp_path / "ran")}, path)
    with pytest.raises(DiagnosticError) as error:
        open_backbone("module:pictures", given(path))
    assert said(error)[0] == "E504"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
@pytest.mark.parametrize(
    "content", [b"", b"no weights", b"\x08" + bytes(7) + b"{}      " + bytes(9)]
)
def test_what_is_no_file_of_weights_is_refused(ending: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"w.{ending}"
    path.write_bytes(content)
    with pytest.raises(DiagnosticError) as error:
        open_backbone("module:pictures", given(path))
    assert said(error)[0] == "E504"


# What is asked for


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("pictures", "`pictures` is no backbone"),
        ("modul:pictures", "unknown provider `modul` of backbones"),
        ("module:picture", "`module:picture` is a function that was not named for this run"),
        ("module:number", f"`{HERE}:seven` gives int, "),
        ("module:nothing", f"`{HERE}:nothing` cannot be imported: "),
        ("module:plain", "`module:plain` does not say what it takes: "),
        ("module:wrong", "`module:wrong` does not say what it takes: the shape of `x` "),
    ],
)
def test_what_cannot_be_opened_is_said(reference: str, message: str) -> None:
    options = OPTIONS.with_options(
        backbone=[
            f"number={HERE}:seven",
            f"nothing={HERE}:nothing",
            f"plain={HERE}:plain",
            f"wrong={HERE}:wrong",
        ]
    )
    with pytest.raises(DiagnosticError) as error:
        open_structure(reference, options)
    code, shown = said(error)
    assert code == "E514"
    assert shown.startswith(message)


def test_a_function_is_found_where_the_command_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "from torch import nn\n\ndef make():\n    m = nn.Linear(3, 2)\n"
    text += "    m.inputs = {'x': {'kind': 'numbers', 'shape': [3]}}\n    return m\n"
    (tmp_path / "beside_the_data.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    options = BackboneOptions(backbone=("own=beside_the_data:make",))
    assert open_structure("module:own", options).input.kind == "numbers"


# Options


def test_options_of_a_file_and_of_the_command_line_add_up(tmp_path: Path) -> None:
    path = tmp_path / "backbones.toml"
    path.write_text('backbone = ["a=m:f"]\npretrained = ["timm:x=w.pt"]\n', encoding="utf-8")
    options = read_options(path).with_options(backbone=["b=m.n:g"], initial=True, download=None)
    assert options.factories == {"a": "m:f", "b": "m.n:g"}
    assert options.weights == {"timm:x": "w.pt"}
    assert options.initial


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 1", "unknown option `seed` of backbones"),
        ("initial = 1", "the option `initial` of backbones is not true or false"),
        ("backbone = [1]", "the option `backbone` of backbones is not a list of texts"),
        ('backbone = ["a"]', "`a` is no value of `backbone`"),
        ('backbone = ["a=os.system"]', "`os.system` does not name a function of a module"),
        ('backbone = ["a=m:f", "a=m:g"]', "`backbone` says twice what `a` is"),
        ("download = true", "`backbones.toml` says `download`, which a command line alone does"),
        ("backbone = ", "`backbones.toml` is not TOML: Invalid value (at end of document)"),
    ],
)
def test_wrong_options_are_refused(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("backbones.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DiagnosticError) as error:
        read_options("backbones.toml")
    assert said(error) == ("E506", message)


def test_weights_that_do_not_fit_are_refused_before_they_are_read(tmp_path: Path) -> None:
    file = str(tmp_path / "weights.pt")
    torch.save({"weight": torch.zeros(100_000)}, file)
    assert [*read_state(file)] == ["weight"]
    with (
        patch.object(archives, "available_memory", return_value=100_000),
        pytest.raises(DiagnosticError, match="of memory, and there is 100 KB") as caught,
    ):
        read_state(file)
    assert [d.code for d in caught.value.diagnostics] == ["E512"]
