"""The paper's backbones: sizes and shapes of the published code, its weights, and learning.

Sizes and shapes were counted by running the published code, BM-NAS at ad16360 (`models/central`);
with its weights ours gave the same numbers there, to the last bit but for the order of means.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import fusewright as fw
from fusewright.runtime.backbones.backbone import open_backbone, open_structure
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.backbones.paper.models import MODELS
from fusewright.runtime.backbones.paper.weights import adapted
from fusewright.runtime.backbones.taps import tapped
from fusewright.runtime.backbones.trial import trial

RANDOM = BackboneOptions(initial=True)
PUBLISHED: dict[str, tuple[int, dict[str, tuple[int, ...]]]] = {
    "maxout_mlp": (141_271, {"op1": (64,), "op3": (128,)}),  # MaxOut_MLP
    "vgg19": (  # GP_VGG, for 224 × 224
        20_037_207,
        {
            "features.20": (512, 28, 28),
            "features.26": (512, 28, 28),
            "features.33": (512, 14, 14),
            "features.36": (512, 7, 7),
        },
    ),
    "inflated_resnet50": (  # Visual, for 8 frames of 256 × 256
        46_265_468,
        {
            "layer2": (512, 8, 32, 32),
            "layer3": (1024, 8, 16, 16),
            "layer4": (2048, 8, 8, 8),
            "space": (2048, 8),  # our reading of "averaged over space": the code has `average`
            "average": (2048,),
        },
    ),
    "cooccurrence": (  # Skeleton
        1_062_652,
        {"most5": (128, 4, 4), "most6": (256, 2, 2), "flat": (1024,), "fc7": (512,)},
    ),
    "resnext101_rgb": (  # get_rgb_model, for 32 frames of 112 × 112
        47_653_651,
        {
            "layer2": (512, 8, 14, 14),
            "layer3": (1024, 4, 7, 7),
            "layer4": (2048, 2, 4, 4),
            "space": (2048, 2),  # our reading, as above
            "average": (2048,),
        },
    ),
    "resnext101_depth": (  # get_depth_model
        47_647_379,
        {"layer2": (512, 8, 14, 14), "layer3": (1024, 4, 7, 7), "layer4": (2048, 2, 4, 4)},
    ),
}
TORCHVISION_FEATURES = 20_024_384
"""Parameters of `vgg19().features` in torchvision, as its model card's 143,667,240 has them."""


def test_every_backbone_of_the_paper_is_compared() -> None:
    assert PUBLISHED.keys() == MODELS.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_sizes_and_shapes_are_those_of_the_published_code(name: str) -> None:
    backbone = open_structure(f"paper:{name}", RANDOM)
    count, shapes = PUBLISHED[name]
    assert sum(parameter.numel() for parameter in backbone.module.parameters()) == count
    found = trial(backbone, [*shapes, ""])
    assert {path: shape[1:] for path, shape in found.items() if path} == shapes
    if name == "vgg19":
        head = 2 * 512 + 512 * 23 + 23
        assert count - head == TORCHVISION_FEATURES


def own(name: str) -> tuple[nn.Module, dict[str, Tensor]]:
    """A backbone without weights, and zeros by the names and shapes of these."""
    with torch.device("meta"):
        module = MODELS[name].build()
    return module, dict(module.state_dict())


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("vgg19", "features.0.weight", "vgg.0.weight"),
        ("inflated_resnet50", "layer1.0.bn1.bias", "cnn.layer1.0.bn1.bias"),
        ("resnext101_rgb", "layer1.0.bn1.bias", "module.layer1.0.bn1.bias"),
    ],
)
def test_names_of_the_published_weights_are_ours(name: str, ours: str, theirs: str) -> None:
    module, _ = own(name)
    tensor = module.state_dict()[ours]
    assert adapted({theirs: tensor}, module).keys() == {ours}


def test_a_network_of_pictures_becomes_one_of_videos() -> None:
    """ResNet-50 of torchvision: what stands in the middle of time, without its head of 1,000."""
    module = MODELS["inflated_resnet50"].build()
    state = {
        "conv1.weight": torch.randn(64, 3, 7, 7),
        "layer1.0.conv2.weight": torch.randn(64, 64, 3, 3),
        "fc.weight": torch.zeros(1000, 2048),
    }
    found = adapted(state, module)
    assert found.keys() == {"conv1.weight", "layer1.0.conv2.weight"}
    assert torch.equal(found["conv1.weight"][:, :, 0], state["conv1.weight"])
    middle = found["layer1.0.conv2.weight"]
    assert torch.equal(middle[:, :, 1], state["layer1.0.conv2.weight"])
    assert not middle[:, :, [0, 2]].any()


def test_depth_begins_with_the_mean_of_the_colours() -> None:
    module, _ = own("resnext101_depth")
    colours = torch.randn(64, 3, 7, 7, 7)
    found = adapted({"conv1.weight": colours}, module)["conv1.weight"]
    assert torch.equal(found, colours.mean(1, keepdim=True))


def test_weights_without_a_head_give_a_network_without_one(tmp_path: Path) -> None:
    """torchvision's VGG-19: its layers by name, and not its head for other classes."""
    module = MODELS["vgg19"].build()
    state = {n: t for n, t in module.state_dict().items() if n.startswith("features.")}
    torch.save({**state, "classifier.6.weight": torch.zeros(10, 2)}, tmp_path / "vgg19.pth")
    given = BackboneOptions(pretrained=(f"paper:vgg19@32={tmp_path / 'vgg19.pth'}",))
    backbone = open_backbone("paper:vgg19@32", given)
    assert backbone.weights == "given"
    pictures = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        maps = tapped(backbone, ["features.36"])(pictures)["features.36"]
        assert torch.equal(backbone.module(pictures), maps.mean((2, 3)))
        assert torch.equal(maps, module.features(pictures))  # type: ignore[operator]


def test_own_weights_come_back_with_their_head(tmp_path: Path) -> None:
    first = open_backbone("paper:maxout_mlp", RANDOM, seed=1)
    torch.save({"state_dict": first.module.state_dict()}, tmp_path / "own.pt")
    given = BackboneOptions(pretrained=(f"paper:maxout_mlp={tmp_path / 'own.pt'}",))
    assert open_backbone("paper:maxout_mlp", given, seed=2).identity == first.identity


def test_published_weights_are_those_of_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def file(request: object, *which: str) -> str:
        asked.append(which)
        raise fw.DiagnosticError([])

    monkeypatch.setattr("fusewright.runtime.backbones.providers.paper.published_file", file)
    for name in ("vgg19", "inflated_resnet50"):
        with pytest.raises(fw.DiagnosticError):
            open_backbone(f"paper:{name}@32", BackboneOptions())
    assert asked == [("vgg19", "IMAGENET1K_V1"), ("resnet50", "IMAGENET1K_V1")]


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("paper:vgg", "has no model `vgg`"),
        ("paper:vgg19@7", "`vgg19@7` has no size that `vgg19` can take"),
        ("paper:vgg19@", "has no size"),
        ("paper:cooccurrence@64", "has no size"),
        ("paper:vgg19@9999999", "has no size"),
        ("paper:maxout_mlp", "not published where a library finds them"),
    ],
)
def test_what_is_no_backbone_of_the_paper_is_diagnosed(reference: str, why: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=why):
        open_backbone(reference, BackboneOptions())


def test_weights_of_another_network_are_diagnosed(tmp_path: Path) -> None:
    torch.save({"op1.lin.weight": torch.zeros(320, 300)}, tmp_path / "part.pt")
    given = BackboneOptions(pretrained=(f"paper:maxout_mlp={tmp_path / 'part.pt'}",))
    with pytest.raises(fw.DiagnosticError, match=r"it lacks `op1\.lin\.bias`"):
        open_backbone("paper:maxout_mlp", given)


def test_persons_count_alike() -> None:
    """Skeletons give the same whoever of two persons stands first."""
    backbone = open_backbone("paper:cooccurrence", RANDOM)
    joints = torch.randn(2, 3, 32, 25, 2)
    with torch.no_grad():
        one, other = (backbone.module(x.flatten(3)) for x in (joints, joints.flip(-1)))
    assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_backbone_learns(name: str) -> None:
    """Three steps on one small batch bring its loss down."""
    side = "@32" if MODELS[name].side else ""
    backbone = open_backbone(f"paper:{name}{side}", RANDOM)
    module = backbone.module.train()
    sizes = backbone.input.sizes
    if backbone.input.kind == "video":
        sizes["t"] = 4
    inputs = torch.randn(4, *sizes.values(), generator=torch.Generator().manual_seed(0))
    for part in module.modules():
        if isinstance(part, nn.Dropout | nn.Dropout2d):
            part.p = 0.0  # what is left out by chance would hide what is learned
    optimiser = torch.optim.SGD(module.parameters(), lr=1e-2)
    losses: list[float] = []
    for _ in range(3):
        loss = nn.functional.cross_entropy(module(inputs), torch.tensor([0, 1, 2, 3]))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
