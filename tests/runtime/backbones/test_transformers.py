"""Models of transformers, built from configurations: nothing is downloaded, and no code is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.runtime.backbones.backbone import open_backbone, open_structure
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.backbones.outline import outline
from fusewright.runtime.backbones.specification import with_shapes
from fusewright.runtime.backbones.taps import tapped
from fusewright.runtime.joint.modalities import raw_modalities
from tests.support.backbones import bert_folder, seeded, vit_folder

pytest.importorskip("transformers")
RANDOM = BackboneOptions(initial=True)


def test_taps_are_the_hidden_states_that_the_library_gives(tmp_path: Path) -> None:
    """So there is no faster way than hooks that would give the same."""
    backbone = open_backbone(f"transformers:{bert_folder(tmp_path)}", RANDOM)
    tokens, mask = torch.tensor([[1, 2, 3, 0], [4, 5, 6, 7]]), torch.tensor([[1, 1, 1, 0], [1] * 4])
    paths = ["embeddings", "encoder.layer.0", "encoder.layer.1"]
    with torch.no_grad():
        found = tapped(backbone, paths)({"input_ids": tokens, "attention_mask": mask})
        expected = backbone.module(tokens, attention_mask=mask, output_hidden_states=True)
    for path, hidden in zip(paths, expected.hidden_states, strict=True):
        assert torch.equal(found[path], hidden)


def test_a_text_model_says_what_it_takes(tmp_path: Path) -> None:
    folder = bert_folder(tmp_path)
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 48}', encoding="utf-8")
    backbone = open_structure(f"transformers:{folder}", RANDOM)
    assert [(i.name, i.kind, i.shape, i.below) for i in backbone.inputs] == [
        ("input_ids", "text", (None,), 32),
        ("attention_mask", "mask", (None,), 2),
    ]
    assert backbone.transform["longest"] == 48
    assert len(backbone.transform["tokenizer"]) == 64
    assert backbone.files == {"tokenizer": str(folder / "tokenizer.json")}
    assert '  Text_2[t *, c 8] at "encoder.layer.1"' in outline(backbone).text


@pytest.mark.parametrize("positions", [16, 20, 512])
def test_texts_have_a_length_of_their_own_whatever_the_longest_is(
    positions: int, tmp_path: Path
) -> None:
    folder = bert_folder(tmp_path, max_position_embeddings=positions)
    spec = fw.loads(
        f'network n(C = 4, L = 2) modality text from "transformers:{folder}" '
        '{ Words at "encoder.layer.1" } output Words predict 3 classes'
    )
    assert "Words[t *, c 8]" in str(with_shapes(spec, RANDOM))
    (modality,) = raw_modalities(spec, RANDOM, checked(with_shapes(spec, RANDOM)))
    assert modality.counted == {"Words": 1}


def test_a_picture_model_says_how_pictures_are_prepared(tmp_path: Path) -> None:
    folder = vit_folder(tmp_path)
    said = {"size": {"height": 16, "width": 16}, "resample": 3, "image_mean": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(said), encoding="utf-8")
    backbone = open_structure(f"transformers:{folder}", RANDOM)
    assert backbone.input.shape == (3, 16, 16)
    assert backbone.transform["interpolation"] == "bicubic"
    assert backbone.transform["mean"] == [0.5, 0.5, 0.5]
    assert backbone.transform["crop"] == [16, 16]
    assert '  Image_1[t 5, c 8] at "layers.0"' in outline(backbone).text


# Weights


def test_weights_that_lie_in_the_folder_are_taken(tmp_path: Path) -> None:
    from transformers import AutoModel

    folder = vit_folder(tmp_path)
    reference = f"transformers:{folder}"
    with pytest.raises(DiagnosticError, match="cannot be opened"):
        open_backbone(reference, BackboneOptions())
    first = open_backbone(reference, RANDOM)
    assert first.weights == "initial"
    model: Any = first.module
    model.save_pretrained(folder)
    opened = open_backbone(reference, RANDOM, seed=5)
    assert opened.weights == "published"
    assert opened.identity == first.identity
    assert opened.identity.model == "vit"
    given = RANDOM.with_options(pretrained=[f"transformers:some/name={folder}"])
    assert open_backbone("transformers:some/name", given).identity.weights == first.identity.weights
    assert AutoModel.from_pretrained(folder).dtype == torch.float32


def test_weights_that_the_folder_lacks_are_random_only_where_that_is_allowed(
    tmp_path: Path,
) -> None:
    from safetensors.torch import save_file

    folder = vit_folder(tmp_path)
    reference = f"transformers:{folder}"
    state = open_backbone(reference, RANDOM).module.state_dict()
    kept = {name: t.contiguous() for name, t in state.items() if not name.startswith("pooler")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(DiagnosticError) as error:
        open_backbone(reference, BackboneOptions())
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E505"
    assert "lack `pooler.dense.bias`" in diagnostic.message
    loaded = open_backbone(reference, RANDOM)
    name = "layers.0.mlp.fc1.weight"
    assert torch.equal(loaded.module.get_parameter(name), state[name])


# What others wrote


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"auto_map": {"AutoModel": "evil.Model"}}, "brings in code of its own (`auto_map`)"),
        ({"_attn_implementation": "somebody/kernel"}, "code by `_attn_implementation`"),
        ({"attn_implementation": "somebody/kernel"}, "code by `attn_implementation`"),
        ({"more": [{"_experts_implementation": "a/b"}]}, "code by `_experts_implementation`"),
        ({"quantization_config": {"quant_method": "x"}}, "of its own (`quantization_config`)"),
        ({"num_hidden_layers": 10**9}, "`num_hidden_layers` is above 1,000"),
        ({"depths": [2, 10**9]}, "`depths` is above 1,000"),
        ({"vision_config": {"depths": [[600], [600]]}}, "`depths` is above 1,000"),
        ({"num_block_repeats": [10**9]}, "`num_block_repeats` is above 1,000"),
        ({"num_local_experts": 10**9}, "`num_local_experts` is above 1,000"),
        ({"num_hidden_layers": "x"}, "cannot be opened: "),
        ({"hidden_act": "os.system"}, "cannot be opened: "),
        ({"model_type": "unheard"}, "cannot be opened: "),
    ],
)
def test_a_configuration_that_brings_in_code_or_makes_no_sense_is_refused(
    changes: dict[str, Any], why: str, tmp_path: Path
) -> None:
    folder = bert_folder(tmp_path, **changes)
    (folder / "evil.py").write_text("raise SystemExit('this ran')\n", encoding="utf-8")
    with pytest.raises(DiagnosticError) as error:
        open_structure(f"transformers:{folder}", RANDOM)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E514"
    assert why in diagnostic.message


def test_a_model_that_does_not_fit_in_memory_is_not_begun(tmp_path: Path) -> None:
    folder = bert_folder(tmp_path, vocab_size=10**12)
    with pytest.raises(DiagnosticError) as error:
        open_backbone(f"transformers:{folder}", RANDOM)
    assert error.value.diagnostics[0].code == "E512"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{" * 1000])
def test_a_damaged_configuration_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(DiagnosticError) as error:
        open_structure(f"transformers:{tmp_path}", RANDOM)
    assert error.value.diagnostics[0].code == "E514"


def test_a_pickle_in_the_folder_is_not_run(tmp_path: Path) -> None:
    folder = vit_folder(tmp_path)
    torch.save({"cls_token": _Payload(tmp_path / "ran")}, folder / "pytorch_model.bin")
    with pytest.raises(DiagnosticError) as error:
        open_backbone(f"transformers:{folder}", BackboneOptions())
    assert error.value.diagnostics[0].code == "E514"
    assert not (tmp_path / "ran").exists()


class _Payload:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.folder,)


def test_a_model_that_is_not_here_is_not_fetched() -> None:
    with pytest.raises(DiagnosticError) as error:
        open_structure("transformers:somebody/something", RANDOM)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.help == "give its folder, or `--download` it"


def test_a_tower_of_two_is_taken_by_name(tmp_path: Path) -> None:
    from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig

    sizes: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = CLIPVisionConfig(**sizes, intermediate_size=8, image_size=16, patch_size=8)
    text = CLIPTextConfig(**sizes, intermediate_size=8, vocab_size=32)
    CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict()).save_pretrained(tmp_path)
    with pytest.raises(DiagnosticError, match="takes pictures and texts at once"):
        open_structure(f"transformers:{tmp_path}", RANDOM)
    pictures = open_backbone(f"transformers:{tmp_path}#vision", RANDOM)
    with torch.no_grad():
        found = tapped(pictures, [""])(seeded((2, 3, 16, 16)))[""]
    assert found.shape == (2, 5, 8)
    assert open_structure(f"transformers:{tmp_path}#text", RANDOM).input.name == "input_ids"
