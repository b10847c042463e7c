"""What stands behind the metrics of an evaluation, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...compiler.diagnostics.text import printable
from .tables import print_table

if TYPE_CHECKING:
    from ...runtime.predict.details import Details

MOST_COLUMNS, MOST_PAIRS = 12, 10
"""Classes of which the whole confusion fits beside each other, and what is shown of others."""


def print_details(details: Details) -> None:
    """Prints classes or values one by one, what is confused, and how far probabilities hold."""
    for name, one in details.heads.items():
        print(f"\n{printable(name)}:")
        print_details(one)
    if details.classes:
        _print_classes(details)
        _print_confusion(details)
    if details.values:
        _print_values(details)
    if details.bins:
        _print_bins(details)


def _print_classes(details: Details) -> None:
    print(f"\nclass by class, of {details.samples:,} test samples:")
    head = ["", "support", "predicted", "precision", "recall", "F1", "AUROC", "AP"]
    print_table(
        [
            head,
            *(
                [
                    printable(one.name),
                    f"{one.support:,}",
                    f"{one.predicted:,}",
                    _shown(one.precision),
                    _shown(one.recall),
                    _shown(one.f1),
                    _shown(one.auroc),
                    _shown(one.average_precision),
                ]
                for one in details.classes
            ),
        ],
        named=True,
    )


def _print_confusion(details: Details) -> None:
    if details.confusion is None:
        return
    names = [printable(one.name) for one in details.classes]
    if len(names) <= MOST_COLUMNS:
        print("\nconfusion, a row for each class and a column for what is predicted:")
        rows = [
            [name, *map(str, row)]
            for name, row in zip(names, details.confusion.tolist(), strict=True)
        ]
        print_table([["", *names], *rows], named=True)
    elif details.confused:
        print("\nconfused most:")
        for true, said, count in details.confused[:MOST_PAIRS]:
            print(f"{printable(true)} taken for {printable(said)}: {count:,}")


def _print_values(details: Details) -> None:
    print(f"\nvalue by value, of {details.samples:,} test samples:")
    head = ["", "mean", "deviation", "R²", "absolute error", "root of squared error", "bias"]
    rows = [
        [
            printable(one.name),
            f"{one.mean:.4g}",
            f"{one.deviation:.4g}",
            _shown(one.r2),
            f"{one.mean_absolute_error:.4g}",
            f"{one.root_mean_squared_error:.4g}",
            f"{one.bias:+.2g}",
        ]
        for one in details.values
    ]
    print_table([head, *rows], named=True)


def _print_bins(details: Details) -> None:
    print("\ncalibration, the probability that is given beside how often it is right:")
    rows = [
        [f"{b.low:.2f} to {b.high:.2f}", f"{b.count:,}", _shown(b.predicted), _shown(b.observed)]
        for b in details.bins
        if b.count
    ]
    print_table([["", "count", "given", "right"], *rows], named=True)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
