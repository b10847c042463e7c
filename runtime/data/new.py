"""A first specification: written from wishes, from data, or copied from an example."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ...compiler.check.check import check, checked
from ...compiler.diagnostics.diagnostic import DiagnosticError, Note, did_you_mean, fail, one_of
from ...compiler.diagnostics.text import printable
from ...compiler.language.nodes import (
    AXES,
    Cell,
    CellInput,
    Hole,
    Modality,
    NetworkHeader,
    Operation,
    Others,
    Possibly,
    Predict,
    Step,
    Use,
)
from ...compiler.language.printer import name as written_name
from ...compiler.language.spec import Spec, spec_lines
from ...compiler.network.names import LABELS
from ...compiler.network.network import Network
from ...compiler.resolve.numbers import OWN_NUMBERS
from ...compiler.syntax.format import format_text
from ...compiler.syntax.parse import parse
from ...compiler.system.files import read_text
from ..settings import Settings, read_settings
from .checks import data_warnings, metric_warnings, warn
from .dataset import load_data
from .files import Source, arrays_of, headers_of
from .formats import ArrayHeader
from .kinds import TEXTS
from .labels import called_otherwise
from .refine import together
from .sources import Data, source_of
from .split import TEST, VALIDATION
from .suggest import UNDIVIDED, Declared, no_feature, suggested

LIBRARY = "bmnas"
POOL = ("Sum", "Attention", "LinearGLU", "ConcatFC")
_COMMENTS: Mapping[type[object], str] = {
    NetworkHeader: "Cells and Steps take and give (batch, L, C); `dropout` is a rate.",
    Use: "The operations and roles; `fusewright ops` lists them with their equations.",
    Modality: "Features in the order of the data's axes: "
    + ", ".join(f"{axis} {meaning}" for axis, meaning in AXES.items())
    + ".",
    Operation: "What a Step may become.",
    Cell: "A hole `?` is to be found by a search; write a name or `{A | B}` to decide.",
    Possibly: "What is combined at the end: `*?` is any subset of all features and Cells.",
    Predict: "`classes` (one of them), `labels` (any of them) or `values` (numbers).",
}
"""What is said above the first line of each kind."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a new specification is asked to have, each as a text in the language or a number.

    `modalities` are `NAME: FEATURE[axes], …`; `data` is where they and the head are read from.
    """

    name: str = "fusion"
    modalities: tuple[str, ...] = ()
    predict: str | None = None
    cells: int = 2
    steps: int = 2
    inner: str | None = None
    data: Source | None = None


def new(
    data: Data | None = None,
    *,
    modalities: Sequence[str] = (),
    predict: str | None = None,
    name: str = "fusion",
    cells: int = 2,
    steps: int = 2,
    inner: str | None = None,
    example: str | None = None,
) -> Spec:
    """A search space to begin with: the features of `data`, two Cells of two Steps, all open.

    `data` is a file, a folder, or what Python holds; `modalities` are texts as
    `image: A[c 512, h 7, w 7], B[c 64]`, beside the data or in their place, and `predict` one as
    `23 labels`. `inner` are numbers, as `C = 128, L = 8`. Of an `example`, such as `ntu1`, the Spec
    is that. Raises DiagnosticError where what is wished for cannot be read or does not make a
    network, and warns (`DataWarning`) where data are to be doubted.
    """
    if example is not None:
        return parse(example_text(example), example)
    source = None if data is None else source_of(data)
    wishes = Wishes(name, tuple(modalities), predict, cells, steps, inner, source)
    return parse(new_text(wishes), name)


def new_text(wishes: Wishes) -> str:
    """The canonical text of a commented specification that checks without an error.

    Raises DiagnosticError where what is wished for cannot be read or does not make one.
    """
    declared = suggested(wishes.data) if wishes.data is not None else None
    given = tuple(read_modality(text, known=declared is not None) for text in wishes.modalities)
    headers = headers_of(arrays_of(wishes.data)) if wishes.data is not None else {}
    modalities = together(declared.modalities, given, headers) if declared else given
    heads = read_predict(wishes.predict) if wishes.predict else ()
    if not heads and declared and declared.predict:
        heads = (declared.predict,)
    if not heads:
        message = "it is not said what is predicted"
        remedy = "`--predict '10 classes'`, `'23 labels'` or `'1 values'` (in Python, `predict=`)"
        if not declared:
            raise fail("E007", message, help=f"add {remedy}")
        remedy = f"call an array or a column `{LABELS}`, or add {remedy}"
        raise fail("E007", message, help=remedy, notes=_of_labels(headers))
    features = [f.name for m in modalities for f in m.features]
    if len(features) < 2:
        message = f"there is {len(features) or 'no'} feature, so there is nothing to fuse"
        if declared:
            raise no_feature(message, declared, "E007")
        raise fail(
            "E007", message, help="declare two or more: `--modality 'image: A[c 64], B[c 9]'`"
        )
    spec = Spec(
        network=read_inner(wishes.name, wishes.inner),
        uses=(Use(LIBRARY),),
        modalities=modalities,
        pool=tuple(Operation(name) for name in POOL),
        cells=(_cell(wishes.cells, wishes.steps, features),),
        outputs=(Possibly(Others()),),
        predict=next((head for head in heads if head.name is None), None),
        heads=tuple(head for head in heads if head.name is not None),
    )
    text = commented(spec, _notes(declared) if declared else ())
    errors = [d for d in check(parse(text, wishes.name)) if d.is_error]
    if errors:
        raise DiagnosticError(errors)
    if wishes.data is not None and declared and declared.predict:
        _doubt(wishes.data, checked(parse(text, wishes.name)))
    return text


def _of_labels(headers: Mapping[str, ArrayHeader]) -> list[Note]:
    """What data have for labels, where that says nothing of what is predicted."""
    if (labels := headers.get(LABELS)) is None:
        texts = [h.name for h in headers.values() if h.kind in TEXTS and len(h.shape) == 1]
        other = called_otherwise(headers, texts)
        return [Note(f"the data has no array `{LABELS}`{f': {other}' if other else ''}")]
    found = labels.why or f"{labels.shape} of the kind `{labels.kind}`"
    return [Note(f"`{LABELS}` cannot be used: {found}")]


def _doubt(data: Source, network: Network) -> None:
    """Warns of what is to be doubted of data; what does not fit is said where they are used."""
    try:
        samples = load_data(data, network)
    except DiagnosticError:
        return
    measured = (metric_warnings(samples, network.head, part) for part in (VALIDATION, TEST))
    warn([*data_warnings(samples, network), *chain(*measured)])


def _notes(declared: Declared) -> list[str]:
    """What is to be known of data before they are used."""
    notes = [f"Not a feature: {printable(line)}." for line in declared.left_out]
    if declared.undivided:
        notes.append(f"The data have {UNDIVIDED}.")
    return notes


def commented(spec: Spec, notes: Sequence[str] = ()) -> str:
    """The canonical text of a specification with a comment above the first of each statement."""
    head = ["# A search space: its holes `?` are filled by `fusewright search`."]
    lines = [*head, *(f"# {note}" for note in notes), ""]
    said: set[type[object]] = set()
    for line, node in spec_lines(spec):
        comment = _COMMENTS.get(type(node))
        if comment and type(node) not in said:
            said.add(type(node))
            lines.append(f"# {comment}")
        lines.append(line)
    return format_text("\n".join(lines) + "\n", "new.fuse")


def _cell(cells: int, steps: int, features: Sequence[str]) -> Cell:
    """A family of Cells with open inputs, whose names no feature has."""
    name = "Cell"
    while any(f.startswith(f"{name}_") for f in features):
        name = f"Fusion{name}"
    holes = (Hole(), Hole())
    step = Step("Step", Hole(), holes, count=steps)
    return Cell(name, tuple(CellInput(hole) for hole in holes), (step,), count=cells)


# What is wished for, read by the language's own parser


def read_modality(text: str, *, known: bool = False) -> Modality:
    """`image: A[c 512, h 7, w 7], B[c 64]`; raises DiagnosticError where it is something else.

    Axes may be left out where they are `known`.
    """
    name, colon, features = text.partition(":")
    if not colon or not features.strip():
        message = f"`{printable(text)}` declares no modality"
        raise fail("E506", message, help="write `--modality 'image: A[c 512, h 7, w 7], B[c 64]'`")
    apart = re.sub(r",(?![^\[\]]*\])", " ", features)
    spec = _read(f"modality {name.strip()} {{ {apart.strip()} }}", "--modality")
    if len(spec.modalities) != 1 or spec != Spec(modalities=spec.modalities):
        raise fail("E506", f"`{printable(text)}` is more than one modality")
    modality = spec.modalities[0]
    bare = [str(f.name) for f in modality.features if f.axes is None]
    if bare and not known and modality.backbone is None:
        own = ", ".join(f"{f.name}[c 64]" for f in modality.features)
        message = f"a feature of `{modality.name}` has no axes: {one_of(bare)}"
        remedy = f"write them, as `--modality '{modality.name}: {own}'`, or give `--data`"
        raise fail("E307", message, help=remedy)
    return modality


def read_predict(text: str) -> tuple[Predict, ...]:
    """`23 labels`, or heads with names; raises DiagnosticError where it is something else."""
    spec = _read(f"predict {text}", "--predict")
    if not spec.predictions or spec != Spec(predict=spec.predict, heads=spec.heads):
        raise fail("E506", f"`{printable(text)}` is more than what is predicted")
    return spec.predictions


def read_inner(name: str, text: str | None) -> NetworkHeader:
    """`C=128, L=8` as the numbers of a network; raises DiagnosticError for something else."""
    spec = _read(f"network {written_name(name)}({text or ''})", "--inner")
    if spec.network is None or spec != Spec(network=spec.network):
        raise fail("E506", f"`{printable(text or name)}` is more than numbers")
    usual = {key: own.usual for key, own in OWN_NUMBERS.items()}
    numbers = {**usual, **dict(spec.network.numbers)}
    return replace(spec.network, numbers=tuple(numbers.items()))


def _read(text: str, option: str) -> Spec:
    """The one statement of a text; a comment could hide what follows it."""
    if "#" in text or "\n" in text:
        raise fail("E506", f"what `{option}` is given has a `#` or a second line")
    return parse(text, option)


# Examples


def example_text(name: str) -> str:
    """The text of an example, such as `ntu1` or, of a folder, `systems/gmu`.

    Raises DiagnosticError where there is none of that name.
    """
    return read_text(_example(name))


def example_settings(name: str) -> Settings:
    """The settings of an example; raises DiagnosticError where there is none of that name."""
    return read_settings(_example(name).with_suffix(".toml"))


def _example(name: str) -> Path:
    folder = Path(__file__).resolve().parents[2] / "examples"
    files = (path for part in (".", "systems") for path in folder.joinpath(part).glob("*.fuse"))
    names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in files)
    if name not in names:
        remedy = did_you_mean(name, names) or f"there are {one_of(names, len(names))}"
        raise fail("E504", f"there is no example `{printable(name)}`", help=remedy)
    return folder / f"{name}.fuse"
