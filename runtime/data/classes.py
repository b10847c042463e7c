"""What classes are called: by the specification, or by data, whose names it then takes.

Data say it by an array `labels.names`, (K,) texts, by the manifest of a store, or by labels that
are texts: their classes are in the order of these. Names stand in the specification of a run, so
that whatever reads the run knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import fail, one_of
from ...compiler.language.nodes import Predict, name_problem
from ...compiler.language.spec import Spec
from ...compiler.network.names import CLASS_NAMES, LABELS
from ...compiler.network.network import Network
from .files import Source, StoredArrays, arrays_of
from .kinds import TEXTS, as_texts
from .rows import Array, Rows, rows_of
from .several import arrays_of_name


def stated_names(arrays: Mapping[str, Rows], called: str = CLASS_NAMES) -> tuple[str, ...] | None:
    """The names by which data say what numbers of classes, or columns of labels, are called.

    Raises DiagnosticError where they are not texts.
    """
    if called not in arrays:
        return None
    names = np.asarray(arrays[called])
    if names.ndim != 1 or names.dtype.kind not in TEXTS:
        message = f"`{called}` is {names.shape} of {names.dtype}, not a text for each class"
        raise fail("E503", message)
    return tuple(as_texts(names).tolist())


def names_in(
    arrays: Mapping[str, Rows], labels: str = LABELS, called: str = CLASS_NAMES
) -> tuple[str, ...] | None:
    """What data call the classes, in their order; None where labels are numbers without names."""
    if (stated := stated_names(arrays, called)) is not None:
        return stated
    if labels not in arrays or _kind_of_labels(arrays, labels) not in TEXTS:
        return None
    return tuple(filter(None, np.unique(as_texts(np.asarray(arrays[labels]))).tolist()))


def named(spec: Spec, source: Source) -> Spec:
    """A specification with the names that data have for what it predicts, where it has none.

    Raises DiagnosticError where the data name more classes, or fewer, than are predicted.
    """
    predict = spec.predict
    if predict is not None:
        own = _named(predict, source, LABELS, CLASS_NAMES)
        return spec if own is predict else replace(spec, predict=own)
    arrays = arrays_of(source)
    heads = tuple(_named(p, source, *arrays_of_name(arrays.keys(), p.name)) for p in spec.heads)
    return spec if heads == spec.heads else replace(spec, heads=heads)


def _named(predict: Predict, source: Source, labels: str, called: str) -> Predict:
    if predict.names is not None or not isinstance(predict.count, int):
        return predict
    names = names_in(arrays_of(source), labels, called)
    if names is None:
        return predict
    if len(names) != predict.count:
        message = f"the data name {len(names)} {predict.kind}, and {predict.count} are predicted"
        remedy = f"write `predict {len(names)} {predict.kind}`, or name those that are predicted"
        raise fail("E503", f"{message}: {one_of(names)}", predict.span, help=remedy)
    problem = next(filter(None, map(name_problem, names)), None)
    if problem is not None:
        raise fail("E503", f"a class of the data cannot be called so: {problem}")
    return replace(predict, names=names)


def with_names(network: Network, source: Source) -> Network:
    """A network that predicts what data name; raises DiagnosticError as `named` does."""
    spec = named(network.space, source)
    return network if spec is network.space else checked(spec)


def are_whole(array: Array) -> bool:
    """Whether numbers, all of them finite, are whole."""
    return bool(np.array_equal(array, np.floor(array)))


def is_one_hot(array: Array) -> bool:
    """Whether each row of several numbers has one 1, and else 0."""
    if array.ndim != 2 or array.shape[1] < 2 or not np.isin(array, (0, 1)).all():
        return False
    return bool((array.sum(1) == 1).all())


def _kind_of_labels(arrays: Mapping[str, Rows], labels: str) -> str:
    """numpy's letter for the labels, which are not read where they stand in a file."""
    if isinstance(arrays, StoredArrays):
        return arrays.headers[labels].kind
    return rows_of(arrays[labels]).dtype.kind
