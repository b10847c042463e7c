"""Types of Arrow's columns: their axes behind the rows, what is inside, and what is no array."""

from __future__ import annotations

from typing import Any

from ..extras import needed
from .kinds import KINDS

EXTRA = "formats"
MOST_AXES = 8
_STRUCT = ("fields", "make each field a column of its own, as `table.flatten()` does")
_BYTES = ("bytes", "let a backbone make numbers of files: `fusewright extract`")
_OTHER = ("no numbers and no texts", "make numbers of it, or lists of them")


def pyarrow(part: str = "") -> Any:
    """The library, or a module of it; raises DiagnosticError where it is not installed."""
    return needed(f"pyarrow.{part}" if part else "pyarrow", EXTRA)


def apart(of: Any) -> tuple[list[int | None], Any]:
    """The sizes of a type's axes behind the rows, None for what differs, and what is inside."""
    kinds = pyarrow("types")
    sizes: list[int | None] = []
    while len(sizes) <= MOST_AXES:
        if is_tensor(of):
            return [*sizes, *of.shape], of.value_type
        if hasattr(of, "storage_type"):
            of = of.storage_type
        elif kinds.is_fixed_size_list(of):
            sizes, of = [*sizes, of.list_size], of.value_type
        elif is_of_lists(of):
            sizes, of = [*sizes, None], of.value_type
        elif kinds.is_dictionary(of) and not sizes:
            of = of.value_type
        else:
            break
    return sizes, of


def is_of_lists(of: Any) -> bool:
    """Whether a type is of lists that may differ in length."""
    kinds = pyarrow("types")
    is_view = kinds.is_list_view(of) or kinds.is_large_list_view(of)
    return bool(kinds.is_list(of) or kinds.is_large_list(of) or is_view)


def is_text(of: Any) -> bool:
    """Whether a type is of texts."""
    kinds = pyarrow("types")
    return bool(kinds.is_string(of) or kinds.is_large_string(of) or kinds.is_string_view(of))


def is_tensor(of: Any) -> bool:
    """Whether a type is Arrow's own of tensors, whose elements are one after the other."""
    if not isinstance(of, pyarrow().FixedShapeTensorType):
        return False
    if of.permutation not in (None, [*range(len(of.shape))]):
        raise ValueError("a tensor in it has its axes in another order than its elements")
    return True


def kind_of(leaf: Any) -> str:
    """numpy's letter for what a column holds; `V` for what is no array."""
    kinds = pyarrow("types")
    for is_kind, letter in (
        (kinds.is_boolean, "b"),
        (kinds.is_signed_integer, "i"),
        (kinds.is_unsigned_integer, "u"),
        (kinds.is_floating, "f"),
        (kinds.is_decimal, "f"),
        (kinds.is_null, "f"),
        (is_text, "U"),
    ):
        if is_kind(leaf):
            return letter
    return "V"


def instead(leaf: Any) -> tuple[str, str]:
    """What a type that is no array holds, and what to do about it."""
    kinds = pyarrow("types")
    for is_kind, found in (
        (kinds.is_struct, _STRUCT),
        (kinds.is_duration, KINDS["m"]),
        (kinds.is_temporal, KINDS["M"]),
        (lambda of: kinds.is_binary(of) or kinds.is_large_binary(of), _BYTES),
    ):
        if is_kind(leaf):
            return found
    return _OTHER
