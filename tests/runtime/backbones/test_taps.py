"""What parts of a backbone give, as they give it, and what their axes mean."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.syntax.parse import parse
from fusewright.runtime.backbones.backbone import Backbone, open_backbone, open_structure
from fusewright.runtime.backbones.inputs import read_inputs
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.backbones.providers import Made, Request
from fusewright.runtime.backbones.shapes import layouts
from fusewright.runtime.backbones.specification import with_shapes
from fusewright.runtime.backbones.taps import tapped
from tests.support.backbones import OPTIONS, seeded


def own(
    module: nn.Module, kind: str = "picture", shape: Any = (3, 16, 16), **more: Any
) -> Backbone:
    """A backbone of a module."""
    inputs = read_inputs({"x": {"kind": kind, "shape": list(shape), **more}}, "it")
    request = Request("module", "it", BackboneOptions())
    return Backbone(request, Made(module.eval(), inputs), "own")


# Taps


def test_a_tap_gives_what_its_part_gave_though_later_parts_write_into_it() -> None:
    backbone = open_backbone("module:pictures", OPTIONS)
    pixels = seeded((2, 3, 16, 16))
    module = backbone.module
    taps = tapped(backbone, ["stages.0.norm", "stages.0", "stages.1", ""])
    with torch.no_grad():
        found = taps(pixels)
        block = module.get_submodule("stages.0")
        normed = block.get_submodule("norm")(block.get_submodule("convolution")(pixels))
        assert torch.equal(found["stages.0.norm"], normed)
        assert (normed < 0).any()
        assert torch.equal(found["stages.0"], normed.relu())
        assert torch.equal(found[""], module(pixels))
    assert list(found) == ["stages.0.norm", "stages.0", "stages.1", ""]


def test_what_comes_after_the_last_tap_is_not_run() -> None:
    backbone = open_backbone("module:pictures", OPTIONS)
    taps = tapped(backbone, ["stages.0"])
    ran: list[str] = []
    for name, part in backbone.module.named_modules():
        part.register_forward_pre_hook(lambda *_, name=name: ran.append(name))
    taps(seeded((2, 3, 16, 16)))
    assert "stages.0.activation" in ran
    assert not [name for name in ran if name.startswith(("stages.1", "head"))]
    hooks = [vars(part)["_forward_hooks"] for part in backbone.module.modules()]
    assert not any(hooks)


def test_the_first_tensor_is_taken_and_inputs_go_by_name() -> None:
    backbone = open_backbone("module:texts", OPTIONS)
    tokens, mask = torch.tensor([[1, 2, 3, 0]]), torch.tensor([[1, 1, 1, 0]])
    with torch.no_grad():
        found = tapped(backbone, ["", "layers.1"])({"tokens": tokens, "mask": mask})
        whole = backbone.module(tokens, mask=mask)
        assert torch.allclose(found[""], whole["hidden"])
        assert not torch.allclose(found[""], backbone.module(tokens)["hidden"])


def test_gradients_go_through_a_tap() -> None:
    backbone = open_backbone("module:pictures", OPTIONS)
    found = tapped(backbone, ["stages.0"])(seeded((2, 3, 16, 16)))["stages.0"]
    torch.autograd.backward(found.sum())
    gradient = backbone.module.get_parameter("stages.0.convolution.weight").grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


class Twice(nn.Module):
    """Runs one part twice and another never."""

    def __init__(self) -> None:
        super().__init__()
        self.again, self.never, self.text = nn.ReLU(), nn.ReLU(), Says()

    def forward(self, x: Tensor) -> Tensor:
        self.text()
        outputs: Tensor = self.again(self.again(x))
        return outputs


class Says(nn.Module):
    """Gives no tensor."""

    def forward(self) -> str:
        return "nothing"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("again", "`again` of `module:it` runs 2 times for a sample"),
        ("never", "`never` of `module:it` is not run"),
        ("text", "`text` of `module:it` gives no tensor"),
        ("other", "`module:it` has no part `other`"),
    ],
)
def test_a_part_that_cannot_be_tapped_is_refused_before_anything_runs(
    path: str, message: str
) -> None:
    with pytest.raises(DiagnosticError) as error:
        tapped(own(Twice()), [path])
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.message) == ("E514", message)


# Shapes


def test_axes_mean_what_they_follow() -> None:
    backbone = open_structure("module:pictures", OPTIONS)
    found = layouts(backbone, ["stages.0", "head"])
    assert found["stages.0"].axes == (("c", 4), ("h", 8), ("w", 8))
    assert found["head"].axes == (("c", 5),)
    texts = open_structure("module:texts", OPTIONS)
    sizes = {path: layout.sizes for path, layout in layouts(texts, ["layers.1", ""]).items()}
    assert sizes == {"layers.1": (None, 8), "": (None, 8)}


class Turned(nn.Module):
    """Channels last, then tokens of places."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.tokens = nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        last = self.last(x.permute(0, 2, 3, 1))
        outputs: Tensor = self.tokens(last.flatten(1, 2))
        return outputs


def test_channels_may_be_last_and_places_may_be_tokens() -> None:
    found = layouts(own(Turned()), ["last", "tokens"])
    assert found["last"].axes == (("h", 16), ("w", 16), ("c", 3))
    assert found["tokens"].axes == (("t", 256), ("c", 3))


class Fixed(nn.Module):
    """Takes no other size than its own, as a transformer of patches."""

    def __init__(self) -> None:
        super().__init__()
        self.heads, self.places = nn.Identity(), nn.Parameter(torch.zeros(16, 48))

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.reshape(len(x), 16, 48) + self.places
        self.heads(tokens.reshape(len(x), 16, 3, 16))
        return tokens


def test_where_sizes_are_fixed_axes_are_as_usual_or_not_known() -> None:
    found = layouts(own(Fixed()), ["", "heads"])
    assert found[""].axes == (("t", 16), ("c", 48))
    assert found["heads"].axes is None
    assert found["heads"].sizes == (16, 3, 16)


class Looks(nn.Module):
    """Looks at numbers while it runs, which the meta device has none of."""

    def forward(self, x: Tensor) -> Tensor:
        return x if float(x.sum()) == 0 else -x


def test_a_backbone_that_looks_at_numbers_is_run_on_the_cpu() -> None:
    assert layouts(own(Looks()), [""])[""].axes == (("c", 3), ("h", 16), ("w", 16))


class Mixed(nn.Module):
    """Mixes samples, as windows do."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(-1, 3, 4, 4)


def test_a_part_that_mixes_samples_is_refused() -> None:
    with pytest.raises(DiagnosticError, match="has no axis of samples at its beginning"):
        layouts(own(Mixed()), [""])


# Specifications

TEXT = """
network n(C = 8, L = 2, K = 6)
modality image from "module:pictures" {{ A at "stages.0" B{axes} at "stages.1" }}
modality text from "module:texts" {{ T at "layers.1" W }}
modality given {{ D[c 4] }}
output A, B, T, D
predict 3 classes
"""


def test_shapes_are_read_off_the_backbones() -> None:
    found = with_shapes(parse(TEXT.format(axes="[c K, h 4, w 4]")), OPTIONS)
    written = TEXT.replace("A at", "A[c 4, h 8, w 8] at").replace("T at", "T[t *, c 8] at")
    written = written.replace("W }}", "W[t *, c 8] }}").format(axes="[c K, h 4, w 4]")
    assert found == parse(written)
    assert with_shapes(found, OPTIONS) == found


@pytest.mark.parametrize("axes", ["[c 4, h 4, w 4]", "[c K, w 4, h 4]", "[c K]", "[c 6, h 5, w *]"])
def test_written_shapes_are_checked_and_both_places_are_said(axes: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        with_shapes(parse(TEXT.format(axes=axes)), OPTIONS)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E310"
    assert diagnostic.span is not None
    assert f"[{diagnostic.span.text}]" == axes
    (note,) = diagnostic.notes
    assert note.span is not None
    assert note.span.text == '"stages.1"'
    assert "`B[c 6, h 4, w 4]`" in (diagnostic.help or "")


def test_axes_that_cannot_be_told_are_to_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.backbones.pictures", lambda: told(Fixed()))
    text = 'modality m from "module:pictures" {{ A{} at "heads" }} output A predict 2 classes'
    with pytest.raises(DiagnosticError, match="mean is not known"):
        with_shapes(parse(text.format("")), OPTIONS)
    written = parse(text.format("[t 16, h 3, c 16]"))
    assert with_shapes(written, OPTIONS) == written


def told(module: Any) -> nn.Module:
    """A module that says what it takes."""
    module.inputs = {"x": {"kind": "picture", "shape": [3, 16, 16]}}
    return module  # type: ignore[no-any-return]
