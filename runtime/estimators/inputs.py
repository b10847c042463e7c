"""What an estimator is fitted on: named arrays, a frame whose columns are mapped, or one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail, one_of
from ...compiler.language.printer import axes as written
from ...compiler.language.printer import name as written_name
from ...compiler.language.spec import Spec, network
from ...compiler.resolve.numbers import OWN_NUMBERS
from ..data.canonical import is_feature
from ..data.files import headers_of
from ..data.new import LIBRARY, POOL, new
from ..data.suggest import AXES, axes_of

Columns: TypeAlias = Mapping[str, Sequence[Any]]
"""The columns of a frame, or of an array by their numbers, by the feature that they are."""
PANDAS = '`set_output(transform="pandas")` of what comes before keeps the names of a frame'
ALONE = "X"
"""What the feature is called where there is one array."""


def named_arrays(given: Any, columns: Columns | None) -> dict[str, NDArray[Any]] | None:
    """Arrays by name, where that is what is given; None where it is one array, or a plain frame.

    Raises DiagnosticError where it lacks a column that a feature is to be.
    """
    if columns is not None:
        frame, known = _columns_of(given)
        for feature, wished in columns.items():
            missing = [str(column) for column in wished if column not in known]
            if missing:
                message = f"`{feature}` is to be columns that X does not have: {one_of(missing)}"
                remedy = f"it has {one_of([str(c) for c in known])}" if known else "give a frame"
                if frame is None and known:
                    remedy = f"an array has numbers for names, 0 to {known[-1]}; {PANDAS}"
                raise fail("E501", message, help=remedy)
        table = np.asarray(given) if frame is None else frame
        return {
            name: table[:, list(of)] if frame is None else np.asarray(table[list(of)])
            for name, of in columns.items()
        }
    if not isinstance(given, Mapping) or hasattr(given, "tocsr"):
        return None  # one of scipy's sparse arrays is a dict
    by_name = cast("Mapping[str, Any]", given)
    return {str(name): np.asarray(array) for name, array in by_name.items()}


def _columns_of(given: Any) -> tuple[Any, list[Any]]:
    """A frame, or None, and the names of columns; those of an array are their numbers."""
    if hasattr(given, "columns"):
        return given, list(given.columns)
    if isinstance(given, Mapping) or hasattr(given, "tocsr") or np.ndim(given) != 2:
        return None, []
    return None, list(range(np.shape(given)[1]))


def feature_names(arrays: Mapping[str, Any]) -> list[str]:
    """The arrays that are features, by name."""
    return [name for name in arrays if is_feature(name)]


def space_of(arrays: Mapping[str, NDArray[Any]], predict: str) -> Spec:
    """A search space for arrays as `fusewright new` writes it, of a single feature too.

    Raises DiagnosticError where there is none that can be a feature.
    """
    features = feature_names(arrays)
    if len(features) != 1:
        return new({name: arrays[name] for name in features}, predict=predict)
    (name,) = features
    headers = headers_of({name: arrays[name]})
    axes = axes_of(headers[name], headers)
    if axes is None:
        most = 1 + max(AXES)
        message = f"`{name}` has {arrays[name].ndim} axes, not samples and at most {most - 1} more"
        raise fail("E502", message, help="give (samples, channels)")
    feature = written_name(name)
    usual = {key: own.usual for key, own in OWN_NUMBERS.items()}
    return (
        network("fusion", **usual)
        .with_library(LIBRARY)
        .with_modality("features", f"{feature}[{written(axes)}]")
        .with_pool(*POOL)
        .with_cell("Cell", feature, steps={"Step_1": "?(x, x)", "Step_2": "?(x, Step_1)"})
        .with_output(feature, "Cell")
        .with_head(predict)
    )
