"""The settings of a run: one frozen dataclass, from defaults, a TOML file, and options."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from os import PathLike, fspath
from typing import Any

from ..compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ..compiler.diagnostics.text import shortened
from ..compiler.documents.records import TableKind, read_table
from ..compiler.system.files import read_text
from .fields import Fields, searched
from .refusals import require_possible
from .strategies import BY_FOLDS, BY_LOSSES, SAMPLED, SAMPLED_BY, USUAL, readers_of, reads

USUAL_BATCH, LEAST_BATCH = 96, 16
"""Samples in a batch where there are many, and where there are few."""
STEPS = 16
"""Weight steps in an epoch that batches are made smaller for."""
LONGEST_SETTINGS = 1_000_000
"""Characters of a file of settings."""
_KIND = TableKind("E506", "is not TOML", "write lines such as `epochs = 30`")


@dataclass(frozen=True, kw_only=True)
class Settings(Fields):
    """How a search or a training runs; rates, epochs and the usual batch are of NTU in Table 8.

    Learning rates follow cosine annealing with warm restarts. Weight decays are L2 penalties, the
    decoupled one is that of Loshchilov and Hutter (2019).
    `arch_…` belongs to the architecture parameters of a search. Data without a `split` is split by
    `split_seed`, which is apart from `seed` so that runs with several seeds share their test
    samples. Processes of `random`, `evolution` or `tpe` with the same `storage` share one study,
    and train `candidates` all together. Where the mixtures of `darts` and `gdas` cost more than a
    budget in expectation, `budget_penalty` times the excess, in shares of the limit, is added to
    the objective of the architecture parameters. With less than float32, torch chooses a precision
    for each operation.

    Raises DiagnosticError for values that cannot be used, alone or together.
    """

    def __post_init__(self) -> None:
        require_possible(self)

    def for_samples(self, samples: int) -> Settings:
        """These settings, with a batch that suits so many training samples where it is left open.

        It is the usual one where an epoch has `STEPS` weight steps with that, and else a smaller
        one: of few samples, batches that are large leave a network as it began.
        """
        if self.batch:
            return self
        return replace(self, batch=min(USUAL_BATCH, max(LEAST_BATCH, samples // STEPS)))

    @property
    def at_once(self) -> int:
        """How many samples are computed at once where nothing is learned from them."""
        return self.batch or USUAL_BATCH

    @property
    def selection(self) -> str:
        """How the genotype is chosen at the end; empty where the strategy does it itself."""
        return self.select or USUAL[self.strategy]

    @property
    def tuned(self) -> Mapping[str, tuple[int | float, ...]]:
        """What each setting that is searched may be; one that is set to something is that."""
        return searched(self)

    @property
    def trains_candidates(self) -> bool:
        """Whether what is found was trained by itself, rather than as a part of a hypernet."""
        return self.strategy in SAMPLED or self.selection in SAMPLED_BY

    @property
    def compares_by_folds(self) -> bool:
        """Whether finalists are compared on what folds hold out."""
        return self.selection in BY_FOLDS

    @property
    def weighs_losses(self) -> bool:
        """Whether what is found stood by its loss beside its score."""
        return (self.selection or self.strategy) in BY_LOSSES

    def with_options(self, **options: Any) -> Settings:
        """These settings with those options that are not None."""
        values = {key: value for key, value in options.items() if value is not None}
        _require_known(values)
        return replace(self, **values)

    def require_effect(self, names: Collection[str]) -> None:
        """Raises DiagnosticError where a search does not read one of these settings.

        One with its usual value says nothing, and is let be.
        """
        for item in fields(self):
            name, selection = item.name, self.selection
            if name not in names or getattr(self, name) == item.default:
                continue
            if reads(self.strategy, selection, name):
                continue
            by = f"`{self.strategy}`" + (f" and `{selection}`" if selection else "")
            remedy = (
                f"it is read by {one_of(readers_of(name), 20)}; leave it out, or choose another"
            )
            if name == "tune" and self.strategy not in SAMPLED:
                remedy = f"candidates of `{self.strategy}` learn in one network, alike; {remedy}"
            raise fail(
                "E506",
                f"the setting `{name}` has no effect with {by}",
                help=f"{remedy} `--strategy` or `--select`",
            )

    def usual(self, names: Collection[str]) -> Settings:
        """These settings, with the usual values of those of these names."""
        usual: dict[str, Any] = {f.name: f.default for f in fields(self) if f.name in names}
        return replace(self, **usual)

    def to_toml(self, names: Collection[str] = ()) -> str:
        """The settings, or those of these names, as a TOML text that `read_settings` reads."""
        lines = []
        for key, value in asdict(self).items():
            if names and key not in names:
                continue
            shown = _toml_string(value) if isinstance(value, str) else repr(value)
            shown = shown.lower() if isinstance(value, bool) else shown
            lines.append(f"{key} = {shown}\n")
        return "".join(lines)


def _toml_string(text: str) -> str:
    """A basic string; TOML takes JSON's escapes, and wants one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_settings(path: str | PathLike[str]) -> Settings:
    """The settings in a TOML file; raises DiagnosticError where it cannot be used."""
    values = read_table(read_text(path, LONGEST_SETTINGS), fspath(path), _KIND)
    _require_known(values)
    return Settings(**values)


def _require_known(values: Mapping[str, Any]) -> None:
    names = [f.name for f in fields(Settings)]
    for key in values:
        if key not in names:
            remedy = did_you_mean(key, names) or f"settings are {one_of(names, 20)}"
            raise fail("E506", f"unknown setting `{shortened(key)}`", help=remedy)
