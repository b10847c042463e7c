"""Hugging Face datasets as `save_to_disk` leaves them: Arrow files beside a record of their types.

They are read by pyarrow alone, so that no code of a dataset is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import is_file, open_file, read_text, reason
from ...extras import needed
from ..arrow import columns_of
from ..columns import Texts
from ..data import Column, RawData

FORM = "a folder that `datasets` saved"
_STATE, _FACTS, _SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
_MEDIA = {"Image": "picture", "Audio": "sound", "Video": "video"}


def claims(place: Path) -> bool:
    """Whether a record of a dataset, or of several that are its splits, is there."""
    return is_file(place / _STATE) or is_file(place / _SPLITS)


def opened(place: Path, root: Path | None) -> RawData:
    """The dataset, its splits one after the other; raises DiagnosticError where it is damaged."""
    if is_file(place / _STATE):
        return _dataset(place, place.name, root)
    names = _record(place / _SPLITS).get("splits")
    if not isinstance(names, list) or not all(_is_plain(name) for name in names):
        raise fail("E504", f"`{place / _SPLITS}` is damaged: it names no splits")
    pyarrow = needed("pyarrow", "formats")
    tables = {str(name): _table(place / str(name)) for name in names}
    counts = [table.num_rows for table in tables.values()]
    try:
        table = pyarrow.concat_tables([*tables.values()])
    except pyarrow.ArrowException as error:
        raise fail("E504", f"the splits of `{place}` differ: {reason(error)}") from None
    facts = _record(place / str(names[0]) / _FACTS)
    columns = columns_of(table, place.name, root or place, _media(facts))
    split = [name for name, count in zip(tables, counts, strict=True) for _ in range(count)]
    own: dict[str, Column] = {"split": Texts(place.name, "split", split)}
    return RawData(str(place), table.num_rows, own | columns, _class_names(facts))


def _dataset(place: Path, source: str, root: Path | None) -> RawData:
    table, facts = _table(place), _record(place / _FACTS)
    columns = columns_of(table, source, root or place, _media(facts))
    return RawData(str(place), table.num_rows, columns, _class_names(facts))


def _is_plain(name: Any) -> bool:
    """Whether a name is that of a file within a folder, and not of one elsewhere."""
    return isinstance(name, str) and Path(name).name == name and name not in ("", "..")


def _record(file: Path) -> Mapping[str, Any]:
    with suppress(ValueError, RecursionError):
        record = json.loads(read_text(file))
        if isinstance(record, dict):
            return record
    raise fail("E504", f"`{file}` is damaged", help="save the dataset again")


def _table(place: Path) -> Any:
    """The rows of one dataset, mapped and not read."""
    pyarrow = needed("pyarrow", "formats")
    files = _record(place / _STATE).get("_data_files")
    names = [one.get("filename") for one in files] if isinstance(files, list) else []
    if not names or not all(_is_plain(name) for name in names):
        raise fail("E504", f"`{place / _STATE}` is damaged: it names no files")
    if _record(place / _STATE).get("_indices_files"):
        message = f"`{place}` is a selection of another dataset"
        raise fail("E504", message, help="save it after `flatten_indices()`")
    tables: list[Any] = []
    for name in names:
        with open_file(place / name):  # a regular file, or a diagnostic
            pass
        try:
            with pyarrow.memory_map(str(place / name)) as source:
                tables.append(pyarrow.ipc.open_stream(source).read_all())
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise fail("E504", f"`{place / name}` cannot be read: {reason(error)}") from None
    return pyarrow.concat_tables(tables)


def _features(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    features = facts.get("features")
    return features if isinstance(features, dict) else {}


def _media(facts: Mapping[str, Any]) -> dict[str, str]:
    kinds = {name: _kind(one) for name, one in _features(facts).items()}
    return {name: _MEDIA[kind] for name, kind in kinds.items() if kind in _MEDIA}


def _class_names(facts: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = {n: one for n, one in _features(facts).items() if _kind(one) == "ClassLabel"}
    return {name: tuple(map(str, one.get("names") or ())) for name, one in found.items()}


def _kind(feature: Any) -> str:
    return str(feature.get("_type")) if isinstance(feature, dict) else ""
