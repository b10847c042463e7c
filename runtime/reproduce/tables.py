"""Tables 1 to 8 and Figures 7 and 8 of "BM-NAS: Bilevel Multimodal Neural Architecture Search".

The figures are those of the paper (AAAI 2022) and of its supplement. Rows that the paper does not
have, such as DC-NAS beside its Table 5, have no printed figures.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ...compiler.diagnostics.text import shortened
from .paper import (
    BM_NAS,
    DC_NAS,
    MFAS,
    Alone,
    Late,
    NotHere,
    OtherFeatures,
    OtherSteps,
    Printed,
    Row,
    Searched,
    System,
    Table,
)

MM_IMDB, NTU, EGO = "mmimdb", "ntu", "egogesture"
"""The data sets of the paper, by the names that raw data have for them."""
OURS = "BM-NAS"
_ANOTHER = NotHere("it has backbones of its own, which are neither here nor those of the others")


def _score(score: float, spread: float | None = None) -> Printed:
    return Printed(score=score, spread=spread)


TABLE_1 = Table(
    "1", "Table 1: multi-label genre classification", MM_IMDB,
    (
        Row("Maxout MLP (text)", Alone(1), _score(57.54)),
        Row("VGG Transfer (image)", Alone(0), _score(49.21)),
        Row("Two-stream", System("two_stream"), _score(60.81)),
        Row("GMU", System("gmu", "fusion.GMU(x, y)"), _score(61.70)),
        Row("CentralNet", System("centralnet", "fusion.WeightedSum(x, y)"), _score(62.23)),
        Row(MFAS, Searched(MFAS), _score(62.50)),
        Row(OURS, Searched(), _score(62.92, 0.03)),
    ),
    OURS,
)  # fmt: skip
TABLE_2 = Table(
    "2", "Table 2: action recognition", NTU,
    (
        Row("Inflated ResNet-50 (video)", Alone(0), _score(83.91)),
        Row("Co-occurrence (skeleton)", Alone(1), _score(85.24)),
        Row("Two-stream", System("two_stream"), _score(88.60)),
        Row("GMU", System("gmu", "fusion.GMU(x, y)"), _score(85.80)),
        Row("MMTM", System("mmtm", "fusion.MMTM(x, y)"), _score(88.92)),
        Row("CentralNet", System("centralnet", "fusion.WeightedSum(x, y)"), _score(89.36)),
        Row(MFAS, Searched(MFAS), _score(89.50, 0.60)),
        Row(OURS, Searched(), _score(90.48, 0.24)),
    ),
    OURS,
)  # fmt: skip
TABLE_3 = Table(
    "3", "Table 3: gesture recognition", EGO,
    (
        Row("VGG-16 + LSTM (RGB)", _ANOTHER, _score(74.70)),
        Row("C3D + LSTM + RSTTM (RGB)", _ANOTHER, _score(89.30)),
        Row("I3D (RGB)", _ANOTHER, _score(90.33)),
        Row("ResNeXt-101 (RGB)", Alone(0), _score(93.75)),
        Row("VGG-16 + LSTM (depth)", _ANOTHER, _score(77.70)),
        Row("C3D + LSTM + RSTTM (depth)", _ANOTHER, _score(90.60)),
        Row("I3D (depth)", _ANOTHER, _score(89.47)),
        Row("ResNeXt-101 (depth)", Alone(1), _score(94.03)),
        Row("VGG-16 + LSTM (RGB + depth)", _ANOTHER, _score(81.40)),
        Row("C3D + LSTM + RSTTM (RGB + depth)", _ANOTHER, _score(92.20)),
        Row("I3D (RGB + depth)", _ANOTHER, _score(92.78)),
        Row("MMTM", System("mmtm", "fusion.MMTM(x, y)"), _score(93.51)),
        Row("MTUT", System("mtut"), _score(93.87)),
        Row("3D-CDC-NAS2", System("cdc"), _score(94.38)),
        Row(OURS, Searched(), _score(94.96, 0.07)),
    ),
    OURS,
)  # fmt: skip
TABLE_4 = Table(
    "4", "Table 4: model size", NTU,
    (
        Row(
            "MMTM", System("mmtm", "fusion.MMTM(x, y)"), Printed(score=88.92, size=8.61)
        ),
        Row(MFAS, System("mfas"), Printed(score=89.50, size=2.16)),
        Row(OURS, Searched(), Printed(score=90.48, size=0.98)),
    ),
    OURS,
)  # fmt: skip
TABLE_5 = Table(
    "5", "Table 5: search cost of generalised multimodal architecture search", NTU,
    (
        Row(f"{MFAS}, MM-IMDB", Searched(MFAS), Printed(hours=9.24), MM_IMDB),
        Row(f"{DC_NAS}, MM-IMDB", Searched(DC_NAS), data=MM_IMDB),
        Row(f"{OURS}, MM-IMDB", Searched(), Printed(hours=0.89), MM_IMDB),
        Row(f"{MFAS}, NTU", Searched(MFAS), Printed(hours=603.64)),
        Row(f"{DC_NAS}, NTU", Searched(DC_NAS)),
        Row(f"{OURS}, NTU", Searched(), Printed(hours=38.6)),
    ),
    f"{OURS}, NTU",
)  # fmt: skip
TABLE_6 = Table(
    "6", "Table 6: which features are fused", NTU,
    (
        Row("Random", OtherFeatures(), _score(86.35, 0.68)),
        Row("Late fusion", Late(), _score(89.49, 0.15)),
        Row(f"Searched ({MFAS})", Searched(MFAS), _score(89.50, 0.60)),
        Row(f"Searched ({BM_NAS})", Searched(), _score(90.48, 0.24)),
    ),
    f"Searched ({BM_NAS})",
)  # fmt: skip
_TWO_HEADS = "Head[2] = bmnas.Attention(x, y) Join = bmnas.ConcatFC(Head_1, Head_2) return Join"
_AOA = "Seen = bmnas.Attention(x, y) Gated = bmnas.LinearGLU(x, Seen) return Gated"
TABLE_7 = Table(
    "7", "Table 7: how features are fused, the features being those that BM-NAS found", NTU,
    (
        Row("Sum", OtherSteps("Sum", "Fuse = bmnas.Sum(x, y)"), _score(87.64)),
        Row("ConcatFC", OtherSteps("ConcatFC", "Fuse = bmnas.ConcatFC(x, y)"), _score(89.20)),
        Row("Multi-head attention", OtherSteps("two heads", _TWO_HEADS), _score(88.29)),
        Row("AoA", OtherSteps("AoA", _AOA), _score(89.11)),
        Row("Searched", Searched(), _score(90.48)),
    ),
    "Searched",
)  # fmt: skip


def _of_table_8(name: str, example: str, data: str, numbers: tuple[float, ...]) -> Row:
    """A configuration; `numbers` are its size, hours, and scores in search and evaluation."""
    size, hours, search, score = numbers
    printed = Printed(score=score, search_score=search, size=size, hours=hours)
    return Row(name, Searched(BM_NAS, example), printed, data)


_CONFIGURATIONS = (
    _of_table_8("NTU 1", "ntu1", NTU, (0.98, 53.68, 94.48, 90.48)),
    _of_table_8("NTU 2", "ntu2", NTU, (1.71, 47.76, 94.16, 89.19)),
    _of_table_8("NTU 3", "ntu3", NTU, (0.98, 45.84, 93.01, 88.78)),
    _of_table_8("NTU 4", "ntu4", NTU, (2.57, 58.64, 92.22, 88.30)),
    _of_table_8("Ego 1", "ego1", EGO, (0.61, 20.67, 98.87, 94.96)),
    _of_table_8("Ego 2", "ego2", EGO, (0.45, 27.60, 98.58, 94.45)),
    _of_table_8("Ego 3", "ego3", EGO, (1.17, 36.82, 98.56, 93.25)),
    _of_table_8("Ego 4", "ego4", EGO, (1.59, 33.62, 98.60, 94.33)),
)
_MM_IMDB_1 = _of_table_8("MM-IMDB 1", "mmimdb1", MM_IMDB, (0.65, 1.24, 53.44, 62.92))
TABLE_8 = Table(
    "8", "Table 8: configurations of the search", NTU, (*_CONFIGURATIONS, _MM_IMDB_1), "NTU 1"
)
FIGURE_7 = Table(
    "figure-7", "Figure 7: scores of hypernets in the search, and of what they find in evaluation",
    NTU, _CONFIGURATIONS, "NTU 1", is_figure=True,
)  # fmt: skip
FIGURE_8 = Table(
    "figure-8", "Figure 8: validation scores of hypernets while they are searched", NTU,
    _CONFIGURATIONS, "NTU 1", is_figure=True,
)  # fmt: skip
_EVERY = (
    TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_5, TABLE_6, TABLE_7, TABLE_8, FIGURE_7, FIGURE_8,
)  # fmt: skip
TABLES: Mapping[str, Table] = {table.key: table for table in _EVERY}


def table_of(name: str) -> Table:
    """The table or figure of a name, such as `6`, `table-6` or `figure-7`.

    Raises DiagnosticError where the paper has none of it that is reproduced.
    """
    key = name.strip().lower().removeprefix("table").strip(" -_")
    if key not in TABLES:
        remedy = did_you_mean(key, TABLES) or f"there are {one_of([*TABLES], len(TABLES))}"
        message = f"`{shortened(name)}` is no table or figure that is reproduced"
        raise fail("E506", message, help=remedy)
    return TABLES[key]
