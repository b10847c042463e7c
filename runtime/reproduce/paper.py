"""What a table of the paper is: rows with the figures that it prints, and how each is run here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

BM_NAS, MFAS, DC_NAS = "BM-NAS", "MFAS", "DC-NAS"


@dataclass(frozen=True, kw_only=True)
class Printed:
    """What the paper prints of a row: nothing where it prints none.

    `score` and its `spread` are in percent, on test; `search_score` is that of the hypernet on
    validation. `size` is in millions of parameters, `hours` are those of a GPU.
    """

    score: float | None = None
    spread: float | None = None
    search_score: float | None = None
    size: float | None = None
    hours: float | None = None


NOTHING = Printed()


@dataclass(frozen=True)
class Alone:
    """The last feature of the modality at a place, straight to the head."""

    modality: int


@dataclass(frozen=True)
class Late:
    """The last feature of every modality, joined, straight to the head."""


@dataclass(frozen=True)
class System:
    """A network of `examples/systems/`, brought to the features at hand.

    Where there is no such example, or where it cannot be brought to the features of a stand-in, a
    Cell over the last features of both modalities with this `step` is taken instead, if it is one.
    """

    name: str
    step: str = ""


@dataclass(frozen=True)
class Searched:
    """What a method finds, in the space of a configuration of Table 8 where one is named."""

    method: str = BM_NAS
    configuration: str = ""


@dataclass(frozen=True)
class OtherSteps:
    """What BM-NAS found, with these Steps in every Cell instead of its own (Table 7).

    Nothing is added to what such a Cell fuses, as in the published code's ablation.
    """

    name: str
    steps: str


@dataclass(frozen=True)
class OtherFeatures:
    """What BM-NAS found, with Cells that take what is drawn at random (Table 6)."""


@dataclass(frozen=True)
class NotHere:
    """A row that is no fusion of features which are at hand, and why it is not run."""

    why: str


Way: TypeAlias = Alone | Late | System | Searched | OtherSteps | OtherFeatures | NotHere


@dataclass(frozen=True)
class Row:
    """A row of a table; `data` names its data set where rows of a table differ in that."""

    name: str
    way: Way
    printed: Printed = NOTHING
    data: str = ""


@dataclass(frozen=True)
class Table:
    """A table or figure: what it is about, the data set of its rows, and these.

    `reference` is the row that others are compared with. `is_figure`: it is drawn as well.
    """

    key: str
    title: str
    data: str
    rows: Sequence[Row]
    reference: str
    is_figure: bool = False

    def data_of(self, row: Row) -> str:
        """The data set of a row."""
        return row.data or self.data
