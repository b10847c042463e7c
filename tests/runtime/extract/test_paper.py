"""The paper's data sets and backbones end to end: small data in their forms, to a search's test.

Pictures and frames are of 32 × 32 here, and networks narrow: what is tested is that the examples'
own text goes through all of it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fusewright as fw
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.extract.extract import extract
from fusewright.runtime.raw.public import public_sets
from fusewright.runtime.raw.tiny import write_tiny
from fusewright.runtime.store.read import Store

from ...support.paths import EXAMPLES
from ...support.running import QUICK

SAMPLES = 10
STORED = {
    "mmimdb": ("mmimdb1", {"Image_0": (512, 4, 4), "Image_3": (512, 4, 4), "Text_1": (128,)}),
    "ntu": ("ntu1", {"Video_1": (512, 8, 1, 1), "Video_4": (2048, 8), "Skeleton_4": (512,)}),
    "egogesture": ("ego1", {"RGB_1": (512, 8, 1, 1), "Depth_4": (2048, 8)}),
}
METRICS = {"mmimdb": "f1_weighted", "ntu": "accuracy", "egogesture": "accuracy"}
"""The example for each data set, and what is stored of some features, pooled to its length."""


def smaller(text: str) -> str:
    """An example whose backbones take 32 × 32, and whose inner channels are 4."""
    text = re.sub(r'"paper:(vgg19|inflated_resnet50|resnext101_\w+)"', r'"paper:\1@32"', text)
    text = re.sub(r"h \d+, w \d+\]", "h *, w *]", text)
    return re.sub(r"\(C = \d+", "(C = 4", text)


@pytest.mark.parametrize("name", STORED)
def test_a_data_set_goes_from_its_files_to_a_score(name: str, tmp_path: Path) -> None:
    example, shapes = STORED[name]
    write_tiny(public_sets()[name], tmp_path / "data", SAMPLES)
    spec = fw.loads(smaller((EXAMPLES / f"{example}.fuse").read_text("utf-8")))
    made = extract(
        spec,
        f"{name}:{tmp_path / 'data'}",
        tmp_path / "store",
        backbones=BackboneOptions(initial=True),
        batch=4,
    )
    store = Store.open(tmp_path / "store")
    for feature, shape in shapes.items():
        assert store.array(feature).shape == (made.manifest.samples, *shape), feature
    once = QUICK.with_options(epochs=1)
    found = fw.search(made.spec, tmp_path / "store", out=tmp_path / "run", settings=once)
    assert "?" not in str(found.genotype)
    fw.train(found.genotype, tmp_path / "store", out=tmp_path / "run", settings=once)
    score = fw.evaluate(tmp_path / "run", tmp_path / "store")
    assert 0 <= score[METRICS[name]] <= 1
