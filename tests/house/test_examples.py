"""The examples are canonical, checked, lower both ways, and have the published sizes."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fusewright.compiler.check.check import check, checked
from fusewright.compiler.compile import compile
from fusewright.compiler.language.nodes import Predict
from fusewright.compiler.language.spec import Spec, print_spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.holes import RELAXATIONS, Relaxation
from fusewright.compiler.network.network import Network
from fusewright.compiler.program.program import ParameterSpec
from fusewright.compiler.published.genotype import genotype_from_text
from fusewright.compiler.syntax.format import format_text
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.onnx.certificate import random_inputs
from fusewright.compiler.targets.onnx.session import open_session, run
from fusewright.runtime.settings import Settings, read_settings

from ..support.paths import EXAMPLES, VECTORS

ABOVE = sorted(EXAMPLES.glob("*.fuse"))
FILES = [*ABOVE, *sorted(EXAMPLES.glob("systems/*.fuse"))]
SPACES = [path for path in ABOVE if not path.stem.endswith("_genotype")]
PUBLISHED: list[dict[str, Any]] = json.loads(
    (VECTORS / "genotypes.json").read_text(encoding="utf-8")
)


def row_name(entry: dict[str, Any]) -> str:
    """`NTU 1` as the examples call it, `ntu1`."""
    return str(entry["name"]).lower().replace(" ", "").replace("-", "")


def read(path: Path) -> Spec:
    return parse(path.read_text(encoding="utf-8"), path.name)


def weights(spec: Spec) -> list[ParameterSpec]:
    return [p for p in lower(spec.graph).parameters if p.kind == "weight"]


def elements(parameters: list[ParameterSpec]) -> int:
    return sum(p.elements for p in parameters)


def test_there_is_a_search_space_and_a_genotype_for_every_row() -> None:
    names = {path.stem for path in FILES}
    rows = {row_name(entry) for entry in PUBLISHED}
    assert len(rows) == 9
    assert rows | {f"{row}_genotype" for row in rows} <= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_its_own_canonical_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert format_text(text, path.name) == text
    printed = print_spec(parse(text))
    assert parse(printed) == parse(text)
    assert print_spec(parse(printed)) == printed


WARNED = {
    "ego3_genotype": ["W402"],
    "ntu4_genotype": ["W403"] * 4,
}
"""What published genotypes leave unused (a modality, a Step in each of four Cells)."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_has_nothing_to_complain_about(path: Path) -> None:
    assert [d.code for d in check(read(path))] == WARNED.get(path.stem, [])


@pytest.mark.parametrize("relax", RELAXATIONS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_lowers(path: Path, relax: Relaxation) -> None:
    spec = read(path)
    architecture = [p for p in lower(spec.graph, relax).parameters if p.kind == "architecture"]
    assert bool(architecture) == ("?" in print_spec(spec))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_says_at_its_head_what_it_is_and_stands_in_the_readme(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert f"`{path.name}`" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


def test_the_rows_of_table_8_are_points_of_one_space() -> None:
    space = checked(read(EXAMPLES / "table8.fuse"))
    every = product(*(range(len(hole.candidates)) for hole in space.global_holes))
    points = {_row_of_table_8(space.variant(picks)) for picks in every}
    rows = {_row_of_table_8(checked(read(EXAMPLES / f"{row_name(e)}.fuse"))) for e in PUBLISHED}
    assert len(points) == 3**5
    assert rows <= points


def _row_of_table_8(network: Network) -> tuple[float, ...]:
    """C, L, dropout, and the numbers of Cells and of Steps."""
    numbers = (network.numbers[name] for name in ("C", "L", "dropout"))
    return (*numbers, len(network.cells), len(network.cells[0].steps))


# Genotypes


@pytest.mark.parametrize("entry", PUBLISHED, ids=row_name)
def test_a_genotype_is_the_published_one_in_its_search_space(entry: dict[str, Any]) -> None:
    space = read(EXAMPLES / f"{row_name(entry)}.fuse")
    genotype = read(EXAMPLES / f"{row_name(entry)}_genotype.fuse")
    assert genotype_from_text(entry["genotype"], space) == genotype


@pytest.mark.parametrize("entry", PUBLISHED, ids=row_name)
def test_a_genotype_has_the_parameters_of_the_published_code(entry: dict[str, Any]) -> None:
    spec = read(EXAMPLES / f"{row_name(entry)}_genotype.fuse")
    parameters = weights(spec)
    features = [f.name for m in spec.modalities for f in m.features]
    adapters = [p for p in parameters if p.name.startswith(tuple(f"{f}.adapt." for f in features))]
    classifier = [p for p in parameters if p.name.startswith("head.")]
    rest = [p for p in parameters if p not in adapters and p not in classifier]
    expected = entry["parameters"]
    assert elements(adapters) == expected["adapters"]
    assert elements(classifier) == expected["classifier"]
    assert elements(rest) == expected["cells_and_output"]
    assert elements(parameters) == expected["total"]


@pytest.mark.parametrize("entry", PUBLISHED, ids=row_name)
def test_a_genotype_s_head_and_the_readme_state_its_size(entry: dict[str, Any]) -> None:
    size = f"{entry['parameters']['total']:,}"
    name = f"{row_name(entry)}_genotype.fuse"
    assert f"{size} parameters" in (EXAMPLES / name).read_text(encoding="utf-8")
    lines = (EXAMPLES / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if f"`{name}`" in line and size in line]


@pytest.mark.parametrize("entry", PUBLISHED, ids=row_name)
def test_a_genotype_compiles_to_every_target(entry: dict[str, Any]) -> None:
    spec = read(EXAMPLES / f"{row_name(entry)}_genotype.fuse")
    reference = compile(spec, "numpy")
    inputs = random_inputs(reference.program, 2, seed=0)
    expected = reference(inputs)
    assert expected.shape == (2, entry["classes"])
    module = compile(spec, "torch").eval()
    with torch.no_grad():
        found = module({name: torch.from_numpy(a) for name, a in inputs.items()}).numpy()
    session = open_session(compile(spec, "onnx").SerializeToString())
    scale = max(1.0, float(np.abs(expected).max()))
    assert np.abs(found - expected).max() <= 1e-5 * scale
    assert np.abs(run(session, inputs) - expected).max() <= 1e-5 * scale


# The rows of Table 8: C, L, Cells, Steps, dropout; epochs, batch, MaxLR; the period of restarts

ROWS = {
    "ntu1": (128, 8, 2, 2, 0.2, 30, 96, 1e-3, 1),
    "ntu2": (256, 8, 2, 1, 0.2, 30, 96, 1e-3, 1),
    "ntu3": (128, 8, 2, 1, 0.2, 30, 96, 1e-3, 1),
    "ntu4": (256, 8, 4, 2, 0.2, 30, 96, 1e-3, 1),
    "ego1": (128, 8, 2, 3, 0.0, 7, 72, 3e-3, 5),
    "ego2": (128, 8, 1, 2, 0.2, 7, 72, 1e-2, 5),
    "ego3": (192, 8, 4, 2, 0.2, 7, 72, 3e-3, 5),
    "ego4": (192, 12, 2, 2, 0.0, 7, 72, 3e-3, 5),
    "mmimdb1": (192, 16, 2, 1, 0.1, 12, 96, 1e-3, 1),
}
CHANNELS = {
    "ntu": (512, 1024, 2048, 2048, 128, 256, 1024, 512),
    "ego": (512, 1024, 2048, 2048, 512, 1024, 2048, 2048),
    "mmimdb": (512, 512, 512, 512, 64, 128),
}
PREDICTS = {
    "ntu": Predict(60, "classes"),
    "ego": Predict(83, "classes"),
    "mmimdb": Predict(23, "labels"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_search_space_is_that_of_its_row(row: str) -> None:
    spec = read(EXAMPLES / f"{row}.fuse")
    channels, length, cells, steps, dropout, *_ = ROWS[row]
    assert spec.network is not None
    assert dict(spec.network.numbers) == {"C": channels, "L": length, "dropout": dropout}
    assert [(c.name, c.count, len(c.inputs)) for c in spec.cells] == [("Cell", cells, 2)]
    assert [(s.name, s.count, len(s.slots)) for s in spec.cells[0].steps] == [("Step", steps, 2)]
    assert [o.name for o in spec.pool or ()] == ["Sum", "Attention", "LinearGLU", "ConcatFC"]
    data_set = row.rstrip("1234")
    axes = [a for m in spec.modalities for f in m.features for a in f.axes or ()]
    assert tuple(a.size for a in axes if a.name == "c") == CHANNELS[data_set]
    assert spec.predict == PREDICTS[data_set]


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_an_example_ships_its_settings(path: Path) -> None:
    settings = read_settings(path.with_suffix(".toml"))
    if path.stem in ROWS:
        *_, epochs, batch, max_learning_rate, first_restart = ROWS[path.stem]
        assert settings == Settings(
            strategy="darts",
            relax="shared",
            seed=0,
            epochs=epochs,
            batch=batch,
            max_learning_rate=max_learning_rate,
            min_learning_rate=1e-6,
            weight_decay=1e-4,
            arch_learning_rate=3e-4,
            arch_weight_decay=1e-3,
            first_restart=first_restart,
            restart_multiplier=2,
        )
