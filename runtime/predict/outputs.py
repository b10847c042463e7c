"""What outputs of a network mean: predicted classes or labels by index and name, as files."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import LOGITS, PROBABILITIES, output_name
from ...compiler.network.network import EVIDENTIAL, Head
from ...compiler.targets.numpy.network import probabilities_of
from ..data.several import outputs_by_head
from ..metrics import LABEL_THRESHOLD

VALUES = "values"
"""What files call the outputs of a network that predicts values."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet may take for a formula."""


def shares_in(head: Head, output: str, outputs: NDArray[Any]) -> NDArray[Any]:
    """Probabilities (…, K) of `logits` or `probabilities`; values as they are."""
    return outputs if output == PROBABILITIES else probabilities_of(outputs, head)


def predictions(head: Head, output: str, outputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The outputs (samples, K) as `logits`, `probabilities` or `values`, and what they predict.

    Classes: `predicted` (samples,), the index, and `predicted_name`, where classes have names.
    Labels: `predicted` (samples, K), 0 or 1. Names of classes or labels are `names` (K,). Evidence
    for classes: `uncertainty` (samples,), from 0 to 1, where logits are known. Of several heads,
    each array has the name of its head before it: `action.predicted`.
    """
    if head.parts:
        every = zip(head.parts, outputs_by_head(head, outputs), strict=True)
        return {
            output_name(part.name, name): array
            for part, own in every
            for name, array in predictions(part, output, own).items()
        }
    arrays = {VALUES if head.kind == "values" else output: outputs}
    if head.kind == "classes":
        arrays["predicted"] = outputs.argmax(1)
    elif head.kind == "labels":
        arrays["predicted"] = (shares_in(head, output, outputs) > LABEL_THRESHOLD).astype(np.int64)
    if head.loss == EVIDENTIAL and output == LOGITS:
        arrays["uncertainty"] = uncertainty_of(outputs)
    if head.names:
        arrays["names"] = np.array(head.names)
        if head.kind == "classes":
            arrays["predicted_name"] = arrays["names"][arrays["predicted"]]
    return arrays


def uncertainty_of(logits: NDArray[Any]) -> NDArray[Any]:
    """K / Σ α of logits (…, K) that are log α, the mass that evidence gives to no class."""
    share: NDArray[Any] = logits.shape[-1] / np.exp(logits.astype(np.float64)).sum(-1)
    return share.astype(logits.dtype)


def as_npz(found: Mapping[str, NDArray[Any]]) -> bytes:
    """Predictions as an .npz file."""
    stream = BytesIO()
    np.savez(stream, allow_pickle=False, **found)
    return stream.getvalue()


def as_csv(head: Head, found: Mapping[str, NDArray[Any]]) -> bytes:
    """Predictions as a table: a row for each sample, a column for each class, label or value.

    The class that is predicted stands in the column `predicted`; for labels, each has a column of
    0 and 1. Of several heads each column has the name of its head before it. A text that a
    spreadsheet may take for a formula has an apostrophe before it.
    """
    columns = dict[str, list[Any]]()
    for part in head.parts:
        prefix = output_name(part.name, "")
        own = {n.removeprefix(prefix): a for n, a in found.items() if n.startswith(prefix)}
        columns |= {f"{part.name} {n}": column for n, column in _table(part, own).items()}
    columns = columns or _table(head, found)
    columns = {"sample": list(range(len(next(iter(columns.values()))))), **columns}
    rows = [columns, *zip(*columns.values(), strict=True)]
    stream = StringIO()
    csv.writer(stream).writerows([_inert(cell) for cell in row] for row in rows)
    return stream.getvalue().encode()


def _table(head: Head, found: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
    """The columns of a head, by what they are called."""
    names = head.names or tuple(str(i) for i in range(head.count))
    output = next(name for name in (LOGITS, PROBABILITIES, VALUES) if name in found)
    columns: dict[str, list[Any]] = {}
    if head.kind == "classes":
        columns["predicted"] = found.get("predicted_name", found["predicted"]).tolist()
    elif head.kind == "labels":
        columns |= _columns("predicted", names, found["predicted"])
    columns |= _columns(output, names, found[output])
    if "uncertainty" in found:
        columns["uncertainty"] = found["uncertainty"].tolist()
    return columns


def _columns(what: str, names: Sequence[str], values: NDArray[Any]) -> dict[str, list[Any]]:
    """The values (samples, K) as a column for each name."""
    columns = values.T.tolist()
    return {f"{what} {name}": column for name, column in zip(names, columns, strict=True)}


def _inert(cell: object) -> object:
    """The cell, so that no spreadsheet computes it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
