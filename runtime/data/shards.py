"""Arrays that stand in several places, one after the other: shards, and the parts of a split.

Files of a folder are shards where they hold the same arrays and are called alike but for a number,
`part-0`, `part-1`, …; they are parts of a split where their path says which, `train.csv`,
`test/0.npz`. Within a file, and of files of one array, names of arrays say it: `train/Image`,
`Image_train`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail, one_of
from ...compiler.network.names import CLASS_NAMES, LABELS, lengths_name
from ...ops.types import NUMBERS
from .formats import ArrayHeader
from .split import SPLIT, WORDS

_BETWEEN = re.compile(r"[/_.\-=\s]+")
_NUMBER = re.compile(r"[0-9]+")
_LAST_NUMBER = re.compile(r"(.+)[_.\-]([0-9]{1,6})")
_NAMES = (
    "call shards alike but for a number: `part-0`, `part-1`; and parts of a split `train`, `test`"
)


@dataclass(frozen=True, slots=True)
class Part:
    """The arrays of a file, or of a part of it: where they stand, and the split that they are."""

    place: Path
    word: str
    headers: Mapping[str, ArrayHeader]


def natural(text: str) -> list[tuple[int, str]]:
    """A key that puts `Image_10` behind `Image_2`."""
    pieces = re.findall(r"[0-9]{1,9}|[^0-9]+", text)
    return [(int(p), "") if p.isascii() and p.isdigit() else (-1, p) for p in pieces]


def together(files: Sequence[tuple[Path, Mapping[str, ArrayHeader]]]) -> dict[str, ArrayHeader]:
    """The arrays of files by name, with the `split` that paths or names say.

    Paths are relative to the folder. Raises DiagnosticError where an array stands in several files
    that are neither shards nor parts of a split.
    """
    parts = [part for place, headers in files for part in _parts(place, headers)]
    parts = _of_folders(_of_one_array(parts))
    several = _in_several(parts)
    if not several:
        return {name: header for part in parts for name, header in part.headers.items()}
    joined = _in_order([part for part in parts if several & part.headers.keys()])
    arrays = {name: header for part in parts for name, header in part.headers.items()}
    arrays |= {name: _joined(name, joined) for name in joined[0].headers}
    words = {WORDS[part.word] for part in joined if part.word}
    if len(words) > 1 and SPLIT not in arrays:
        arrays[SPLIT] = _split(joined)
    return arrays


def _in_several(parts: Iterable[Part]) -> set[str]:
    """The names of arrays that stand in several parts."""
    known, several = set[str](), set[str]()
    for part in parts:
        several |= known & part.headers.keys()
        known |= part.headers.keys()
    return several


def _in_order(parts: Sequence[Part]) -> list[Part]:
    """Parts in the order of splits and of numbers, where they are alike; raises DiagnosticError."""
    first = parts[0]
    for part in parts[1:]:
        if differing := sorted(part.headers.keys() ^ first.headers.keys()):
            raise _unlike(first, part, differing)
    unsaid = [part for part in parts if not part.word]
    if unsaid and len(unsaid) < len(parts):
        message = f"`{unsaid[0].place}` says no part of a split, as `{_said(parts).place}` does"
        raise fail("E502", message, help=_NAMES)
    called = {_NUMBER.sub("#", "/".join(_tokens(part))) for part in parts}
    places = [(part.place, part.word) for part in parts]
    if len(called) > 1 or len({(_stem(place), word) for place, word in places}) < len(places):
        shown = one_of(sorted({str(part.place) for part in parts}))
        name = min(first.headers)
        message = f"the array `{name}` stands in two files that are not called alike: {shown}"
        raise fail("E502", message, help=_NAMES)
    return sorted(parts, key=lambda p: (WORDS.get(p.word, 0), natural(str(p.place)), p.word))


def _said(parts: Sequence[Part]) -> Part:
    return next(part for part in parts if part.word)


def _unlike(first: Part, part: Part, names: Sequence[str]) -> DiagnosticError:
    """That two parts do not have the same arrays."""
    lacks, has = (first, part) if names[0] in part.headers else (part, first)
    shown = one_of(names)
    message = f"`{has.place}` and `{lacks.place}` have the same arrays, but for {shown}"
    if names == [LABELS] and WORDS.get(lacks.word) == WORDS["test"]:
        remedy = f"learn from `{has.place}` alone, and predict `{lacks.place}` with it"
        return fail("E502", f"`{lacks.place}` has no `{LABELS}`", help=remedy)
    return fail("E502", message, help=f"give both the same arrays; {_NAMES}")


def _joined(name: str, parts: Sequence[Part]) -> ArrayHeader:
    """The header of an array whose rows stand in parts; raises DiagnosticError for other shapes."""
    first = parts[0].headers[name]
    headers = [part.headers[name] for part in parts]
    if name == CLASS_NAMES:
        return replace(first, parts=tuple(headers))
    shape = list(first.shape)
    for part, header in zip(parts, headers, strict=True):
        same = len(header.shape) == len(shape) and bool(shape)
        fits = same and all(a == b for a, b in zip(header.shape[1:], shape[1:], strict=True))
        if same and not fits and lengths_name(name) in part.headers:
            fits = list(header.shape[2:]) == shape[2:]
            shape[1] = max(shape[1], header.shape[1])
        is_alike = (header.kind in NUMBERS) == (first.kind in NUMBERS)
        if not fits or not is_alike:
            found = f"{first.shape} in `{parts[0].place}` and {header.shape} in `{part.place}`"
            raise fail(
                "E502", f"`{name}` is {found}", help="give all of its rows one shape and type"
            )
    kind = first.kind if len({h.kind for h in headers}) == 1 else "f"
    shape[0] = sum(header.shape[0] for header in headers)
    return replace(first, shape=tuple(shape), kind=kind, is_apart=False, parts=tuple(headers))


def _split(parts: Sequence[Part]) -> ArrayHeader:
    """The header of what paths or names say of the split."""
    words = tuple(
        ArrayHeader(SPLIT, _samples(part), "U", part.place, word=part.word) for part in parts
    )
    samples = sum(header.shape[0] for header in words)
    return ArrayHeader(SPLIT, (samples,), "U", parts[0].place, parts=words)


def _samples(part: Part) -> tuple[int]:
    shapes = (h.shape for name, h in part.headers.items() if name != CLASS_NAMES)
    return (next((shape[0] for shape in shapes if shape), 0),)


# What names say


def _stem(place: Path) -> str:
    """A path without the ending of its file."""
    return str(place).removesuffix(place.suffix)


def _tokens(part: Part) -> list[str]:
    """What a path is made of, without its endings and a word for a split."""
    pieces = _BETWEEN.split(_stem(part.place).lower())
    return [piece for piece in pieces if piece not in WORDS]


def _word(pieces: Iterable[str]) -> str:
    """The one word for a part of a split among pieces of a name; empty where there is none."""
    words = [piece for piece in pieces if piece in WORDS]
    return words[0] if len({WORDS[word] for word in words}) == 1 else ""


def _parts(place: Path, headers: Mapping[str, ArrayHeader]) -> list[Part]:
    """The arrays of a file: by the parts of a split that their names say, or else all of them."""
    found = _by_word(headers)
    if len({WORDS[word] for word in found}) > 1 and _are_alike([*found.values()]):
        return [Part(place, word, named) for word, named in found.items()]
    return [Part(place, _word(_BETWEEN.split(str(place).lower())), headers)]


def _are_alike(parts: Sequence[Mapping[str, ArrayHeader]]) -> bool:
    return all(part.keys() == parts[0].keys() for part in parts)


def _by_word(headers: Mapping[str, ArrayHeader]) -> dict[str, dict[str, ArrayHeader]]:
    """Arrays by the word for a split that each has in its name; nothing where one has none."""
    found: dict[str, dict[str, ArrayHeader]] = {}
    for name, header in headers.items():
        if name == CLASS_NAMES:
            continue
        word, rest = _apart(name)
        if not word or rest in found.get(word, {}):
            return {}
        stored = header.stored or name
        found.setdefault(word, {})[rest] = replace(header, name=rest, stored=stored)
    return found


def _apart(name: str) -> tuple[str, str]:
    """The word for a split at the beginning or the end of a name, and the rest of it."""
    for pattern in (r"(?P<w>\w+?)[/_.\-](?P<r>.+)", r"(?P<r>.+)[/_.\-](?P<w>[^/_.\-]+)"):
        found = re.fullmatch(pattern, name, re.DOTALL)
        if found and found["w"].lower() in WORDS:
            return found["w"].lower(), found["r"]
    return "", name


def _of_folders(parts: Sequence[Part]) -> list[Part]:
    """Parts, of which those of one folder are one where no array stands in two of them."""
    by_folder: dict[Path, list[Part]] = {}
    for part in parts:
        by_folder.setdefault(part.place.parent, []).append(part)
    found: list[Part] = []
    for folder, inside in by_folder.items():
        if folder == Path() or len(inside) == 1 or _in_several(inside):
            found += inside
        else:
            headers = {name: header for part in inside for name, header in part.headers.items()}
            found.append(Part(folder, _word(_BETWEEN.split(str(folder).lower())), headers))
    return found


def _of_one_array(parts: Sequence[Part]) -> list[Part]:
    """Files of one array each, whose names say its parts: `labels_train`, `Image/0`, `Image_0`."""
    if len(parts) < 2 or any(len(part.headers) != 1 for part in parts):
        return [*parts]
    headers = [header for part in parts for header in part.headers.values()]
    by_word = _by_word({header.name: header for header in headers})
    if len({WORDS[word] for word in by_word}) > 1 and _are_alike([*by_word.values()]):
        return [Part(Path(word), word, named) for word, named in by_word.items()]
    numbered: dict[int, dict[str, ArrayHeader]] = {}
    for part, header in zip(parts, headers, strict=True):
        if header.name.isdecimal() and part.place.parent != Path():
            name, number = part.place.parent.name, header.name
        elif found := _LAST_NUMBER.fullmatch(header.name):
            name, number = found.groups()
        else:
            return [*parts]
        shard = numbered.setdefault(int(number), {})
        shard[name] = replace(header, name=name, stored=header.stored or header.name)
    if not _are_alike([*numbered.values()]) or LABELS not in next(iter(numbered.values())):
        return [*parts]
    return [Part(Path(f"{number}"), "", named) for number, named in numbered.items()]
