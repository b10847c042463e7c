"""Labels as words or numbers of any values, with the names of classes; splits as words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.classes import named, names_in
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.new import Wishes, new_text

from ...support.running import FIXED, problem, spec

WORDS = np.array(["cat", "dog", "eel"])


def data(labels: Any, samples: int = 30, **more: Any) -> dict[str, Any]:
    return {**problem(samples), "labels": np.asarray(labels), **more}


def read(labels: Any, predict: str, **more: Any) -> list[Any]:
    found = load_data(data(labels, **more), checked(spec(FIXED, predict)))
    labels_read: list[Any] = found.labels.tolist()
    return labels_read


def said(labels: Any, predict: str, **more: Any) -> tuple[str, str]:
    with pytest.raises(fw.DiagnosticError) as caught:
        read(labels, predict, **more)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E503"
    return diagnostic.message, str(diagnostic.help)


PLACES = np.arange(30) % 3


def test_words_are_found_among_the_names_of_the_specification() -> None:
    assert read(WORDS[PLACES], "3 classes { eel, cat, dog }") == [1, 2, 0] * 10
    assert read(np.char.encode(WORDS[PLACES]), "3 classes { cat, dog, eel }") == [0, 1, 2] * 10


def test_an_unknown_word_is_named_with_what_may_be_meant() -> None:
    labels = np.where(PLACES == 1, "dgo", WORDS[PLACES])
    message, remedy = said(labels, "3 classes { cat, dog, eel }")
    assert message == "`labels` have what is none of the 3 classes: `dgo`"
    assert remedy == "did you mean `dog`?"


def test_words_without_names_are_refused_with_what_names_them() -> None:
    message, remedy = said(WORDS[PLACES], "3 classes")
    assert message == "`labels` are texts, and the specification does not name its classes"
    assert remedy == "name them: predict 3 classes { cat, dog, eel }"


def test_numbers_that_data_name_are_found_by_their_names() -> None:
    names = {"labels.names": WORDS}
    assert read(PLACES, "3 classes", **names) == [0, 1, 2] * 10
    assert read(PLACES, "3 classes { eel, cat, dog }", **names) == [1, 2, 0] * 10
    message, _ = said(PLACES, "3 classes { eel, cat, cow }", **names)
    assert message == "`labels` have what is none of the 3 classes: `dog`"
    message, _ = said(PLACES, "3 classes", **{"labels.names": np.arange(3)})
    assert message == "`labels.names` is (3,) of int64, not a text for each class"


def test_columns_of_labels_are_found_by_their_names() -> None:
    columns = np.eye(3)[PLACES]
    names = {"labels.names": WORDS}
    found = read(columns, "3 labels { eel, cat, dog }", **names)
    assert found == columns[:, [2, 0, 1]].tolist()
    assert read(columns, "3 labels { eel, cat, dog }") == columns.tolist()
    message, remedy = said(columns, "3 labels { eel, cat, cow }", **names)
    assert message == "the columns of `labels` are not called `cow`"
    assert remedy == "they are called `cat`, `dog`, `eel`"


def test_numbers_that_do_not_count_from_0_are_said_with_a_remedy() -> None:
    message, remedy = said(PLACES + 1, "3 classes")
    assert message == "`labels` are whole numbers from 1 to 3, not from 0 to 2"
    named_so = "predict 3 classes { `1`, `2`, `3` }"
    assert remedy == f"they count from 1: subtract 1, or name them: {named_so}"
    assert read(PLACES + 1, "3 classes { `1`, `2`, `3` }") == [0, 1, 2] * 10
    assert read(10 * PLACES - 5, "3 classes { `15`, `-5`, `5` }") == [1, 2, 0] * 10
    message, _ = said(PLACES, "3 classes { `1`, `2`, `3` }")
    assert message == "`labels` have what is none of the 3 classes: `0`"


# What a specification is called by


@pytest.mark.parametrize(
    ("more", "labels"),
    [({}, WORDS[PLACES]), ({"labels.names": WORDS[::-1].copy()}, PLACES)],
    ids=["words", "names"],
)
def test_data_name_what_a_specification_does_not(more: dict[str, Any], labels: Any) -> None:
    names = ("cat", "dog", "eel") if not more else ("eel", "dog", "cat")
    assert names_in(data(labels, **more)) == names
    found = named(spec(FIXED, "3 classes"), data(labels, **more))
    assert found == spec(FIXED, f"3 classes {{ {', '.join(names)} }}")
    others = spec(FIXED, "3 classes { a, b, c }")
    assert named(others, data(labels, **more)) is others
    assert named(found, data(PLACES)) is found


@pytest.mark.parametrize("count", [2, 4])
def test_data_that_name_another_number_of_classes_are_refused(count: int) -> None:
    with pytest.raises(fw.DiagnosticError) as caught:
        named(spec(FIXED, f"{count} classes"), data(WORDS[PLACES]))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message.startswith(f"the data name 3 classes, and {count} are predicted")
    assert diagnostic.span is not None


def test_a_class_that_no_specification_can_name_is_refused() -> None:
    with pytest.raises(fw.DiagnosticError, match="cannot be called so"):
        named(spec(FIXED, "3 classes"), data(np.where(PLACES == 1, "a`b", WORDS[PLACES])))


def test_a_run_keeps_the_names_of_its_data(tmp_path: Path) -> None:
    """What was trained on a table of words finds them in a table that has fewer of them."""
    arrays = problem(30)
    table = pd.DataFrame(
        {n: list(arrays[n].astype(np.float32).tolist()) for n in "ABD"}
        | {"label": WORDS[PLACES], "split": np.repeat(["train", "val", "test"], 10)}
    )
    fw.train(spec(FIXED), table, epochs=1, threads=1, out=tmp_path / "run")
    genotype = str(fw.load(tmp_path / "run" / "genotype.fuse"))
    assert genotype.endswith("predict 3 classes { cat, dog, eel }\n")
    some = table[(table["label"] != "dog") | (table["split"] != "test")]
    with pytest.warns(fw.DataWarning):
        assert 0 <= fw.evaluate(tmp_path / "run", some)["accuracy"] <= 1


# What is suggested

SUGGESTED: Sequence[tuple[Any, str]] = [
    (WORDS[PLACES], "3 classes { cat, dog, eel }"),
    (PLACES, "3 classes"),
    (PLACES + 1, "3 classes { `1`, `2`, `3` }"),
    (2 * (PLACES % 2) - 1, "2 classes { `-1`, `1` }"),
    (PLACES - 1, "3 classes { `-1`, `0`, `1` }"),
    (PLACES * 1000, "3 classes { `0`, `1000`, `2000` }"),
    (np.array([0, 5, 9])[PLACES], "3 classes { `0`, `5`, `9` }"),
    (PLACES[:, None], "3 classes"),
    (np.eye(3)[PLACES], "3 classes"),
    (np.arange(30) * 1000, "1 values"),
]


@pytest.mark.parametrize(("labels", "predict"), SUGGESTED)
def test_new_suggests_what_labels_are(labels: Any, predict: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **data(labels))
    assert new_text(Wishes(data=tmp_path / "data.npz")).endswith(f"predict {predict}\n")


# Splits


def test_splits_are_words_or_numbers() -> None:
    words = np.array(["Train", " val", "dev", "validation", "testing", "training"] * 5)
    found = load_data(data(PLACES, split=words), checked(spec(FIXED)))
    assert found.split.tolist() == [0, 1, 1, 1, 2, 0] * 5
    message, remedy = said(PLACES, "3 classes", split=np.where(words == "dev", "holdout", words))
    assert message == "`split` has `holdout`"
    assert "`validation`" in remedy
