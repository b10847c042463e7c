"""Raw data, what decodes and takes them, and the table that names them."""

from __future__ import annotations

from ..mutations import either
from ..mutations.archive import mutated_archive
from ..mutations.raw import flipped_bits, mutated_bytes
from ..mutations.text import mutated_text
from ..readers import Command
from ..target import Case, Kind
from .arrays import MUTATED_SAFETENSORS

TABLE = "raw/data.csv"
JOINT = "--joint --data pictures.npz --out run --epochs 1 --threads 1 --backbones backbones.toml"
SHARDS = ("./extracted", "./extracted/*.safetensors")
"""Of a feature that was extracted before the one that fails: the next extraction goes on."""
OPENED = "--backbones backbones.toml --workers 1"


def extracting(raw: str, more: str = "") -> Command:
    return Command.of(f"extract raw.fuse --raw {raw} --out extracted {OPENED} {more}".rstrip())


def _checking(name: str) -> Command:
    return Command.of(f"datasets check {name}:paper/{name.partition('-')[0]} --decode")


_BYTES = either(mutated_bytes, mutated_bytes, flipped_bits)
_TEXT = either(mutated_text, mutated_text, mutated_bytes)
_PLAN = Command.of("reproduce 6 --plan --backbones backbones.toml")
_INSPECT = Command.of("inspect raw.fuse --backbones backbones.toml")
_APART = Command.of(
    f"predict joint.onnx --joint --raw {TABLE} --root raw -o out.csv --backbones backbones.toml"
)
_SCORED = Command.of(
    f"evaluate joined --joint --raw {TABLE} --root raw --backbones backbones.toml --workers 1"
)
_AGAIN = Command.of(f"extract joined --raw {TABLE} --out extracted {OPENED}")
_TOKENIZED = extracting(TABLE, "--transform text.tokenizer=tokenizer.json")

KINDS = (
    Kind(
        "table of raw data",
        _TEXT,
        [
            Case(
                TABLE,
                [
                    extracting(TABLE),
                    extracting(TABLE, "--root raw --views 2"),
                    Command.of(
                        f"train joint.fuse --joint --raw {TABLE} --root raw --out run"
                        f" --epochs 1 --threads 1 {OPENED}"
                    ),
                    _APART,
                    _SCORED,
                ],
                SHARDS,
            )
        ],
    ),
    Kind(
        "specification of raw data",
        _TEXT,
        [
            Case("raw.fuse", [extracting(TABLE), _INSPECT], SHARDS),
            Case("backbones.toml", [extracting(TABLE), _INSPECT, _APART, _SCORED, _PLAN], SHARDS),
        ],
    ),
    Kind(
        "pictures of raw data",
        _BYTES,
        [Case("raw/pictures/0.png", [extracting(TABLE, "--root raw")], SHARDS)],
    ),
    Kind(
        "raw data in one file",
        _BYTES,
        [
            Case("raw.h5", [extracting("raw.h5")], SHARDS),
            Case("raw.parquet", [extracting("raw.parquet")], SHARDS),
            Case("saved/data-00000-of-00001.arrow", [extracting("saved")], SHARDS),
            Case("saved/state.json", [extracting("saved")], SHARDS),
        ],
    ),
    Kind(
        "files of the paper's data sets",
        _BYTES,
        [
            Case("paper/mmimdb/multimodal_imdb.hdf5", [_checking("mmimdb")]),
            Case("paper/ntu/nturgb+d_rgb/S001C001P001R001A001_rgb.avi", [_checking("ntu")]),
            Case("paper/ntu/nturgb+d_skeletons/S001C001P001R001A001.skeleton", [_checking("ntu")]),
            Case(
                "paper/egogesture/images/Subject01/Scene1/Depth/depth1/000005.jpg",
                [_checking("egogesture")],
            ),
        ],
    ),
    Kind(
        "annotations of the paper's data sets",
        _TEXT,
        [
            Case(
                "paper/egogesture/labels-final-revised1/subject01/Scene1/Group1.csv",
                [_checking("egogesture")],
            ),
            Case(
                "paper/ntu/NTU_RGBD_samples_with_missing_skeletons.txt", [_checking("ntu-search")]
            ),
        ],
    ),
    Kind(
        "specification of a joint network",
        _TEXT,
        [
            Case(
                "joint.fuse",
                [
                    Command.of("inspect joint.fuse --backbones backbones.toml"),
                    Command.of(f"train joint.fuse {JOINT}"),
                ],
            ),
            Case(
                "backbones.toml",
                [
                    Command.of("inspect joint.fuse --backbones backbones.toml"),
                    Command.of(f"train joint.fuse {JOINT}"),
                    Command.of(
                        "compile joined --joint -o no.onnx --opset 17 --backbones backbones.toml"
                    ),
                ],
            ),
        ],
    ),
    Kind("tokenizer", _TEXT, [Case("tokenizer.json", [_TOKENIZED], SHARDS)]),
    Kind(
        "weights of a backbone, of torch",
        either(mutated_archive, mutated_archive, mutated_bytes),
        [
            Case(
                "backbone.pt",
                [extracting(TABLE, "--pretrained module:text=backbone.pt")],
                SHARDS,
            )
        ],
    ),
    Kind(
        "weights of a backbone",
        MUTATED_SAFETENSORS,
        [
            Case(
                "backbone.safetensors",
                [extracting(TABLE, "--pretrained module:text=backbone.safetensors")],
                SHARDS,
            ),
            Case(
                "joined/backbones.safetensors",
                [
                    Command.of(
                        f"train joint.fuse {JOINT}"
                        " --pretrained module:picture=joined/backbones.safetensors"
                    ),
                    Command.of("predict joined --data pictures.npz -o out.csv"),
                    _SCORED,
                    _AGAIN,
                ],
                SHARDS,
            ),
        ],
    ),
)
