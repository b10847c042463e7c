"""Data checks: what is said aloud of data of which a number means little."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.measure.sizes import count_chosen, count_parameters
from fusewright.compiler.network.choices import fill
from fusewright.compiler.network.holes import RELAXATIONS, Relaxation
from fusewright.compiler.network.network import NOTHING
from fusewright.compiler.resolve.resolve import resolve
from fusewright.runtime.data.checks import data_warnings, metric_warnings
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.guidance import guidance
from fusewright.runtime.data.split import TEST
from fusewright.runtime.genotypes.sample import draw

from ...support.programs import specs
from ...support.running import FIXED, QUICK, Arrays, as_npz, changed, command, problem, spec

FEATURES = "modality m optional { A[c 3] } modality n { D[c 4] }"


def network(predict: str = "3 classes") -> Any:
    return checked(fw.loads(f"network n(C = 4, L = 2) {FEATURES} output A, D predict {predict}"))


def sound(samples: int = 90) -> Arrays:
    """Data of which there is nothing to doubt."""
    generator = np.random.default_rng(0)
    return {
        "A": generator.normal(size=(samples, 3)).astype(np.float32),
        "D": generator.normal(size=(samples, 4)).astype(np.float32),
        "labels": np.arange(samples) % 3,
        "split": np.arange(samples) // 3 % 3,
    }


def doubts(arrays: Arrays, predict: str = "3 classes") -> list[str]:
    """What is said of data, each with its code."""
    kept = network(predict)
    return [f"{d.code} {d.message}" for d in data_warnings(load_data(arrays, kept), kept)]


def doubted(arrays: Arrays, predict: str = "3 classes") -> list[str]:
    """What is said of the metrics on the test split."""
    kept = network(predict)
    found = metric_warnings(load_data(arrays, kept), kept.head, TEST)
    return [f"{d.code} {d.message}" for d in found]


def test_sound_data_are_not_doubted() -> None:
    assert doubts(sound()) == doubted(sound()) == []
    assert doubts(changed(sound(), split=None)) == []


def test_labels_that_are_all_equal() -> None:
    arrays = sound()
    arrays["labels"][arrays["split"] == 0] = 1
    assert doubts(arrays) == ["W501 every sample of the train split has the class `1`"]
    many = np.random.default_rng(0).integers(0, 2, (90, 2))
    many[:, 1] = 1
    assert [d[:4] for d in doubts(changed(sound(), labels=many), "2 labels")] == ["W501"] * 3


def test_a_class_that_a_split_lacks_or_has_few_of() -> None:
    arrays = sound()
    arrays["labels"][(arrays["labels"] == 2) & (arrays["split"] == 2)] = 0
    assert doubts(arrays) == ["W502 no sample of the test split has the class `2`"]
    arrays = sound()
    arrays["labels"][(arrays["labels"] == 2) & (arrays["split"] == 0)] = 0
    arrays["labels"][0] = 2
    assert doubts(arrays) == ["W502 the train split has fewer than 5 samples of the class `2`"]


def test_features_that_do_not_vary() -> None:
    arrays = sound()
    arrays["A"][:] = 7
    arrays["D"][arrays["split"] == 0, 1:3] = 0
    assert doubts(arrays) == [
        "W503 `A` is the same number throughout the train split",
        "W503 2 of 4 channels of `D` are constant in the train split",
    ]


def test_channels_that_hardly_vary_or_differ_in_scale() -> None:
    arrays = sound()
    arrays["A"][:, 1] = 1000 + arrays["A"][:, 1] / 100
    assert doubts(arrays) == ["W503 1 of 3 channels of `A` hardly vary in the train split"]
    arrays = sound()
    arrays["D"] *= np.array([1, 1e-3, 1, 100], np.float32)
    (said,) = doubts(arrays)
    assert re.match(r"W512 channels of `D` vary by 0\.00\d+ to [34]\.?\d*e\+02", said), said
    assert doubts(changed(sound(), A=sound()["A"] * 1e6)) == []


FIRST = "dropout(relu(batchnorm(batchnorm(resample(f)) @ W[c, C] + b[C])))"
LATER = "dropout(relu(batchnorm(resample(f) @ W[c, C] + b[C])))"


@pytest.mark.parametrize(("adapter", "is_said"), [(FIRST, False), (LATER, True)])
def test_an_adapter_that_normalises_first_need_not_know_of_scales(
    adapter: str, is_said: bool
) -> None:
    """Nothing is said of it, and a training gives the same whatever the scales are."""
    text = str(spec(FIXED)).replace("dropout = 0.1", "dropout = 0")
    fixed = fw.loads(f"{text}\nrole adapt(f) = {adapter}")
    plain = problem(90)
    uneven = {**plain, "D": plain["D"] * np.array([1, 8, 64, 512], np.float32)}
    given: list[Any] = []
    for arrays in (plain, uneven):
        kept = checked(fixed)
        said = [d.code for d in data_warnings(load_data(arrays, kept), kept)]
        assert ("W512" in said) == (is_said and arrays is uneven)
        weights = fw.train(fixed, arrays, settings=QUICK, epochs=40).weights  # statistics settle
        given.append(fw.predict(fixed, arrays, weights=weights))
    plainly, unevenly = given
    assert np.allclose(plainly, unevenly, atol=1e-2) != is_said


def guided(spec: str, arrays: Arrays) -> list[str]:
    """What guidance says of a specification on data."""
    kept = checked(fw.loads(spec))
    return [f"{d.code} {d.message}" for d in guidance(load_data(arrays, kept), kept)]


RAW = "modality m { A[c %s, h 4, w 4] } modality n { D[c 4] }"


@pytest.mark.parametrize(
    ("numbers", "channels", "library", "said"),
    [
        ("C = 4, L = 2", 1, "paper", ["W510 the adapter of `A` keeps 2 numbers of 16"]),
        ("C = 4, L = 4", 1, "paper", ["W510 the adapter of `A` keeps 4 numbers of 16"]),
        ("C = 4, L = 8", 1, "paper", []),
        ("C = 4, L = 2", 8, "paper", []),  # of a backbone
    ],
)
def test_a_picture_that_is_pooled_away(
    numbers: str, channels: int, library: str, said: list[str]
) -> None:
    arrays = changed(sound(600), A=np.random.default_rng(0).normal(size=(600, channels, 4, 4)))
    features = RAW % channels
    spec = f"network n({numbers}) use {library} {features} output A, D predict 3 classes"
    assert [line for line in guided(spec, arrays) if line.startswith("W510")] == said


def test_places_as_channels_are_told_how_the_data_become_so() -> None:
    arrays = changed(sound(600), A=np.random.default_rng(0).normal(size=(600, 1, 4, 4)))
    spec = f"network n(C = 4, L = 2) {RAW % 1} output A, D predict 3 classes"
    kept = checked(fw.loads(spec))
    (found,) = (d for d in guidance(load_data(arrays, kept), kept) if d.code == "W510")
    assert str(found.help).endswith("as channels: (samples, 16) in the data, `A[c 16]`")
    flat = checked(fw.loads(spec.replace("[c 1, h 4, w 4]", "[c 16]")))
    with pytest.raises(fw.DiagnosticError, match=r"or make the data \(samples, 16\)"):
        load_data(arrays, flat)


def test_more_parameters_than_samples_and_a_modality_without_use() -> None:
    spec = f"network n(C = 2048, L = 2) {FEATURES} output A predict 3 classes"
    assert guided(spec, sound()) == [
        "W402 no Cell and no `output` can take a feature of `n`",
        "W511 the network has 24,579 parameters, and 30 samples to learn them from",
    ]
    assert guided(spec.replace("2048", "4").replace("output A", "output A, D"), sound()) == []


@given(specs(), st.sampled_from(RELAXATIONS), st.integers(0, 99))
def test_a_hypernet_says_how_many_parameters_a_genotype_has(
    spec: Spec, relax: Relaxation, seed: int
) -> None:
    space = checked(spec)
    try:
        chosen = draw(space, np.random.default_rng(seed))
    except DiagnosticError:  # no choice was found that the rule admits
        assume(False)
        return
    counted = count_chosen(lower(build(space), relax), space, chosen)
    alone = count_parameters(lower(build(resolve(fill(space, chosen)))))
    assert counted >= alone if NOTHING in chosen.outputs else counted == alone


@pytest.mark.parametrize(
    ("space", "network"),
    [
        ("C = {2048 | 4}, L = 2) %s output A?, D?", "C = 2048, L = 2) %s output A, D"),
        (
            "C = 128, L = 2) %s pool ConcatFC cell K(A, D) { S = ?(x, y) }",
            "C = 128, L = 2) %s cell K(A, D) { S = ConcatFC(x, y) }",
        ),
    ],
)
def test_a_space_is_held_against_one_of_its_networks(space: str, network: str) -> None:
    (of_space,), (of_network,) = (
        [
            line
            for line in guided(f"network n({text % FEATURES} predict 3 classes", sound())
            if line.startswith("W511")
        ]
        for text in (space, network)
    )
    assert of_space == of_network.replace("the network has", "a genotype of it has")


def test_a_genotype_that_leaves_a_modality_out_is_said_by_the_search(tmp_path: Path) -> None:
    spec = fw.loads(
        f"network n(C = 4, L = 2) {FEATURES} output {{A | D}} pool Sum predict 3 classes"
    )
    with pytest.warns(fw.DataWarning, match="the genotype that was found takes no feature"):
        fw.search(
            spec, sound(), strategy="random", candidates=2, trial_epochs=1, out=tmp_path / "run"
        )
    kept = json.loads((tmp_path / "run/search.json").read_text())["warnings"]
    assert "W402" in [warning["code"] for warning in kept]


def test_a_modality_that_is_not_there_does_not_count_as_constant() -> None:
    present = np.ones(90, np.int64)
    present[::9] = 0
    arrays = changed(sound(), **{"m.present": present})
    arrays["A"][present == 1, 0] = 2
    assert doubts(arrays) == ["W503 1 of 3 channels of `A` are constant in the train split"]


def test_a_modality_that_no_sample_has() -> None:
    present = (np.arange(90) // 3 % 3 != 1).astype(np.int64)
    arrays = changed(sound(), **{"m.present": present})
    assert doubts(arrays) == ["W505 no sample of the validation split has the modality `m`"]


def test_equal_samples_in_two_splits() -> None:
    arrays = sound()
    train, test = (np.flatnonzero(arrays["split"] == part) for part in (0, 2))
    for name in ("A", "D"):
        arrays[name][test[:3]] = arrays[name][train[:3]]
    arrays["D"][test[2], 0] += 1
    leak = (
        "W504 2 of 30 samples of the test split equal one of train or validation in every feature"
    )
    assert doubts(arrays) == [leak]
    arrays["labels"][test[0]] = (arrays["labels"][test[0]] + 1) % 3
    assert doubts(arrays) == [
        leak,
        "W504 1 sample equals another in every feature, but not in labels",
    ]


def test_zeros_of_either_sign_are_equal_and_many_twins_are_told_apart() -> None:
    arrays = sound(9_000)
    arrays["A"][:] = np.arange(9_000)[:, None] % 2 - 1 / 2
    arrays["A"][::2] *= 0
    arrays["A"][::4] *= -1
    arrays["D"][8_995] = arrays["D"][1]
    assert [d[:4] for d in doubts(arrays)] == ["W504"]


def test_metrics_that_say_nothing_of_what_is_absent() -> None:
    arrays = sound()
    arrays["labels"][(arrays["labels"] == 2) & (arrays["split"] == 2)] = 0
    (said,) = doubted(arrays)
    assert said.startswith(
        "W506 `f1_macro` on the test split says nothing of 1 of 3 classes: `2` never"
    )
    many = np.random.default_rng(0).integers(0, 2, (90, 2))
    many[arrays["split"] == 2, 1] = 0
    (said,) = doubted(changed(sound(), labels=many), "2 labels")
    assert said.startswith(
        "W506 `f1_macro` on the test split says nothing of 1 of 2 labels: `1` never"
    )
    values = np.random.default_rng(0).normal(size=(90, 1))
    values[arrays["split"] == 2] = 3
    (said,) = doubted(changed(sound(), labels=values), "1 values")
    assert said.startswith("W506 `r2` on the test split says nothing of the value `0`")


def test_accuracy_of_what_is_nearly_always_one_class() -> None:
    arrays = sound(270)
    test = np.flatnonzero(arrays["split"] == 2)
    arrays["labels"][test] = 1
    arrays["labels"][test[:4]], arrays["labels"][test[4:9]] = 0, 2
    (said,) = doubted(arrays)
    assert said.startswith("W506 `accuracy` on the test split says little: 90.0% of the samples")
    arrays["labels"][test[9]] = 0
    assert not doubted(arrays)


def test_what_is_said_of_macro_f1_is_what_it_does() -> None:
    torch = pytest.importorskip("torch")
    from fusewright.runtime.training.scores import metrics_of

    head = network().head
    labels = torch.tensor([0, 0, 1, 1])
    right = torch.eye(3)[labels]
    assert metrics_of(head, right, labels)["f1_macro"] == 1
    right[0] = torch.tensor([0.0, 0.0, 2.0])
    with_absent = metrics_of(head, right, labels)["f1_macro"]
    assert with_absent == pytest.approx((2 / 3 + 1 + 0) / 3)
    both = network("2 labels").head
    truth = torch.tensor([[1, 0], [1, 0]])
    assert metrics_of(both, 9.0 * (2 * truth - 1), truth)["f1_macro"] == 0.5


# Where it is said


def leaking(place: Path) -> Path:
    """A file of data whose test split has samples to train on."""
    arrays = sound()
    train, test = (np.flatnonzero(arrays["split"] == part) for part in (0, 2))
    for name in ("A", "D"):
        arrays[name][test[:3]] = arrays[name][train[:3]]
    return as_npz(arrays, place)


def test_a_run_says_it_once_and_keeps_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    data = leaking(tmp_path)
    (tmp_path / "n.fuse").write_text(str(network().spec))
    options = ("--data", str(data), "--json")
    trained = command(tmp_path, "train", "n.fuse", *options, "--out", "run", "--epochs", "1")
    assert capsys.readouterr().err.count("warning[W504]: 3 of 30 samples of the test split") == 1
    assert [w["code"] for w in json.loads(trained)["warnings"]] == ["W504"]
    (kept,) = json.loads((tmp_path / "run/train.json").read_text())["warnings"]
    assert kept["code"] == "W504"
    evaluated = command(tmp_path, "evaluate", "run", *options)
    assert capsys.readouterr().err.count("warning[W504]") == 1
    assert [w["code"] for w in json.loads(evaluated)["warnings"]] == ["W504"]
    command(tmp_path, "report", "run", "-o", "report.html")
    assert "3 of 30 samples of the test split equal" in (tmp_path / "report.html").read_text()
    drafted = command(tmp_path, "new", "--data", str(data))
    assert drafted.startswith("# A search space")
    assert capsys.readouterr().err.count("warning[W504]") == 1


def test_a_search_keeps_it_and_python_warns(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    spec = fw.loads(
        f"network n(C = 4, L = 2) {FEATURES} pool Sum, LinearGLU cell K(A, D) {{ S = ?(x, y) }} "
        "predict 3 classes"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("always", fw.DataWarning)
        with pytest.warns(fw.DataWarning, match="3 of 30 samples of the test split equal"):
            fw.search(
                spec,
                leaking(tmp_path),
                out=tmp_path / "run",
                strategy="random",
                epochs=1,
                trial_epochs=1,
            )
    (kept,) = json.loads((tmp_path / "run/search.json").read_text())["warnings"]
    assert kept["code"] == "W504"


@pytest.mark.parametrize("loss", ["focal", lambda logits, labels: (logits**2).mean()])
def test_a_warning_names_the_line_that_called(loss: Any) -> None:
    pytest.importorskip("torch")
    arrays = sound(60)
    arrays["labels"][arrays["split"] == 2] = 1
    with pytest.warns(fw.DataWarning) as caught:
        fw.train(network().spec, arrays, epochs=1, batch=16, loss=loss)
    assert {one.filename for one in caught} == {__file__}
