"""torchvision and timm: `make test-backbones` has them, and prints what is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest
import torch

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.runtime.backbones.backbone import open_backbone, open_structure
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.backbones.outline import outline
from fusewright.runtime.backbones.taps import tapped
from tests.support.backbones import seeded

pytest.importorskip("torchvision")
timm: Any = pytest.importorskip("timm")
RANDOM = BackboneOptions(initial=True)


@pytest.mark.parametrize(
    ("reference", "features"),
    [
        ("torchvision:resnet18", ["[c 64, h 56, w 56]", "[c 512, h 7, w 7]"]),
        ("torchvision:vgg19", ['[c 512, h 28, w 28] at "features.26"']),
        ("torchvision:vit_b_16", ['[t 197, c 768] at "encoder.layers.encoder_layer_11"']),
        ("torchvision:swin_t", ['[h 14, w 14, c 384] at "features.5"']),
        ("torchvision:r3d_18", ['[c 256, t 4, h 14, w 14] at "layer3"']),
        ("timm:resnet18", ['[c 256, h 14, w 14] at "layer3"']),
        ("timm:vit_tiny_patch16_224", ['[t 197, c 192] at "blocks.11"']),
        ("timm:swin_tiny_patch4_window7_224", ['[h 28, w 28, c 192] at "layers.1"']),
        ("timm:convnext_atto", ['[c 160, h 14, w 14] at "stages.2"']),
        ("timm:mixer_s32_224", ['[t 49, c 512] at "blocks.7"']),
    ],
)
def test_models_are_looked_into_without_weights(reference: str, features: list[str]) -> None:
    start = perf_counter()
    text = outline(open_structure(reference, RANDOM)).text
    print(f"{reference}: looked into in {perf_counter() - start:.2f} s")
    for feature in features:
        assert feature in text


def test_features_are_those_of_the_fast_path_of_timm_and_as_fast() -> None:
    """`forward_intermediates` gives the same maps, and takes what hooks take."""
    backbone = open_backbone("timm:resnet18", RANDOM)
    paths = ["layer1", "layer2", "layer3"]
    taps, module, pixels = tapped(backbone, paths), backbone.module, seeded((4, 3, 224, 224))
    names = [info["module"] for info in module.feature_info]  # type: ignore[union-attr]
    wanted: dict[str, Any] = {"indices": [names.index(path) for path in paths]}

    def fast() -> list[torch.Tensor]:
        found: list[torch.Tensor] = module.forward_intermediates(  # type: ignore[operator]
            pixels, **wanted, intermediates_only=True, stop_early=True
        )
        return found

    with torch.inference_mode():
        for found, expected in zip(taps(pixels).values(), fast(), strict=True):
            assert torch.equal(found, expected)
        ours, theirs = _seconds(lambda: taps(pixels), fast)
    print(f"resnet18, batch 4: taps {1000 * ours:.0f} ms, fast path {1000 * theirs:.0f} ms")
    assert ours < 2 * theirs


def _seconds(*works: Callable[[], object]) -> list[float]:
    """The medians of what each takes, by turns, since others use the machine too."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(9):
        for work, found in zip(works, times, strict=True):
            start = perf_counter()
            work()
            found.append(perf_counter() - start)
    return [median(found) for found in times]


@pytest.mark.parametrize("reference", ["torchvision:resnet18", "timm:resnet18"])
def test_weights_are_taken_from_a_file(reference: str, tmp_path: Path) -> None:
    first = open_backbone(reference, RANDOM, seed=1)
    torch.save(first.module.state_dict(), tmp_path / "w.pth")
    given = BackboneOptions(pretrained=(f"{reference}={tmp_path / 'w.pth'}",))
    assert open_backbone(reference, given).identity == first.identity


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("torchvision:resnet19", "`torchvision` has no model `resnet19`"),
        ("timm:resnet19", "`timm` has no model `resnet19`"),
        ("timm:hf-hub:somebody/model", "`timm` has no model `hf-hub:somebody/model`"),
        ("timm:local-dir:/tmp", "`timm` has no model `local-dir:/tmp`"),
        ("torchvision:resnet18", "the weights of `torchvision:resnet18` are not here"),
        ("timm:resnet18.a1_in1k", "the weights of `timm:resnet18.a1_in1k` are not here"),
    ],
)
def test_what_is_not_here_is_neither_guessed_nor_fetched(
    reference: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(DiagnosticError) as error:
        open_backbone(reference, BackboneOptions())
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.message) == ("E514", message)
