"""The settings of a run: one frozen dataclass, from defaults, a TOML file, and options."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from os import PathLike
from pathlib import Path
from typing import Any

from ..compiler.diagnostics import did_you_mean, fail, one_of
from ..compiler.lower import RELAXATIONS
from ..compiler.rules import RULES

HYPERNET = ("argmax", "perturbation", "ranking", "halving")
STRATEGIES: Mapping[str, tuple[str, ...]] = {
    "darts": HYPERNET,
    "gdas": HYPERNET,
    "single-path": ("ranking", "halving", "perturbation"),
    "halving": (),
    "random": (),
    "evolution": (),
    "tpe": (),
    "mfas": (),
}
"""Strategies with the selections that may follow them, the usual one first."""
_LEAST = {
    "epochs": 1,
    "batch": 1,
    "first_restart": 1,
    "restart_multiplier": 1,
    "candidates": 1,
    "trial_epochs": 1,
    "reduction": 2,
    "rungs": 1,
    "passes": 1,
}
SHARING = ("random", "evolution", "tpe")
"""Strategies whose study several processes can share."""
UNROLLED = ("darts", "gdas")
"""Strategies whose architecture step can be unrolled by a weight step."""
PRECISIONS = ("float32", "bfloat16", "float16")
RULE_NAMES: Mapping[str, str] = {
    **{rule.source: name for name, rule in RULES.items()},
    **{name: name for name in RULES},
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a search or a training runs; rates, batch and epochs are those of NTU in Table 8.

    Learning rates follow cosine annealing with warm restarts from `max_learning_rate` to
    `min_learning_rate`; the first period lasts `first_restart` epochs, each following one
    `restart_multiplier` times as long. Weight decays are L2 penalties. `arch_…` belongs to the
    architecture parameters of a search. Data without a `split` is split by `split_seed`, which is
    apart from `seed` so that runs with several seeds share their test samples. `rule` overrides the
    specification's rule for filling holes: `paper` is `distinct_pairs`, `published` `fresh_input`.
    `strategy` and `select` say how a space is explored and how its genotype is chosen at the end;
    an empty `select` is the strategy's own. `second_order` unrolls the architecture step of
    `darts` and `gdas`. Strategies that train candidates by themselves train `candidates` of them,
    for `trial_epochs` each; halving keeps one in `reduction` from rung to rung, of
    `rungs`. `mfas` goes over the Cells in `passes`. Processes of `random`, `evolution` or `tpe`
    with the same `storage`, the path of a journal or the URL of a database, share one study, and
    train `candidates` all together.
    Budgets of latency are held to on the machine that the file `profile` describes. Where the
    mixtures of `darts` and `gdas` cost more than a budget in expectation, `budget_penalty` times
    the excess, in shares of the limit, is added to the objective of the architecture parameters.
    `precision` is what most is computed in: with less than float32, torch chooses for each
    operation. With `compile`, torch.compile takes its time first, and steps are faster afterwards.
    With `tensorboard`, a run folder gets events of every round and epoch for TensorBoard.
    """

    seed: int = 0
    split_seed: int = 0
    epochs: int = 30
    batch: int = 96
    max_learning_rate: float = 1e-3
    min_learning_rate: float = 1e-6
    weight_decay: float = 1e-4
    first_restart: int = 1
    restart_multiplier: int = 2
    arch_learning_rate: float = 3e-4
    arch_weight_decay: float = 1e-3
    strategy: str = "halving"
    select: str = ""
    second_order: bool = False
    candidates: int = 240
    trial_epochs: int = 15
    reduction: int = 3
    rungs: int = 4
    passes: int = 3
    storage: str = ""
    profile: str = ""
    budget_penalty: float = 1.0
    relax: str = "per_input"
    rule: str = ""
    device: str = "cpu"
    precision: str = "float32"
    compile: bool = False
    tensorboard: bool = False

    def __post_init__(self) -> None:
        for item in fields(self):
            _check_type(item.name, getattr(self, item.name), type(item.default))
        for name in ("seed", "split_seed"):
            _require(0 <= getattr(self, name) < 2**63, name, getattr(self, name), "from 0 to 2^63")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            _require(value >= least, name, value, f"at least {least}")
        for name in ("max_learning_rate", "arch_learning_rate"):
            _require(0 < getattr(self, name) < 1e3, name, getattr(self, name), "above 0")
        for name in ("min_learning_rate", "weight_decay", "arch_weight_decay", "budget_penalty"):
            _require(0 <= getattr(self, name) < 1e3, name, getattr(self, name), "at least 0")
        _require_one("strategy", self.strategy, tuple(STRATEGIES))
        if self.select:
            _require_one("select", self.select, STRATEGIES[self.strategy])
        if self.storage and self.strategy not in SHARING:
            message = f"`{self.strategy}` cannot share a storage"
            raise fail("E506", message, help=f"strategies that can are {one_of(SHARING)}")
        if self.second_order and self.strategy not in UNROLLED:
            message = f"`{self.strategy}` has no architecture step to unroll"
            raise fail("E506", message, help=f"strategies that have one are {one_of(UNROLLED)}")
        if self.second_order and self.precision == "float16":
            raise fail("E506", "the second order cannot be computed in float16")
        _require_one("relax", self.relax, RELAXATIONS)
        _require_one("precision", self.precision, PRECISIONS)
        if self.rule:
            _require_one("rule", self.rule, tuple(RULE_NAMES))

    @property
    def selection(self) -> str:
        """How the genotype is chosen at the end; empty where the strategy does it itself."""
        return self.select or next(iter(STRATEGIES[self.strategy]), "")

    def with_options(self, **options: Any) -> Settings:
        """These settings with those options that are not None."""
        given = {key: value for key, value in options.items() if value is not None}
        _require_known(given)
        return replace(self, **given)

    def to_toml(self) -> str:
        """The settings as a TOML text that `read_settings` reads back."""
        lines = []
        for key, value in asdict(self).items():
            shown = _toml_string(value) if isinstance(value, str) else repr(value)
            shown = shown.lower() if isinstance(value, bool) else shown
            lines.append(f"{key} = {shown}\n")
        return "".join(lines)


def _toml_string(text: str) -> str:
    """A basic string; TOML takes JSON's escapes, and wants one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_settings(path: str | PathLike[str]) -> Settings:
    """The settings in a TOML file; raises DiagnosticError where it cannot be used."""
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise fail("E504", f"cannot read `{path}`: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise fail("E506", f"`{path}` is not TOML: {error}") from None
    _require_known(values)
    return Settings(**values)


def _require_known(values: Mapping[str, Any]) -> None:
    known = [f.name for f in fields(Settings)]
    for key in values:
        if key not in known:
            remedy = did_you_mean(key, known) or f"settings are {one_of(known, 20)}"
            raise fail("E506", f"unknown setting `{key}`", help=remedy)


def _check_type(name: str, value: Any, expected: type) -> None:
    allowed = (int, float) if expected is float else (expected,)
    if not isinstance(value, allowed) or isinstance(value, bool) != (expected is bool):
        kinds = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        kind = kinds[expected]
        raise fail("E506", f"the setting `{name}` is {value!r}, not {kind}")


def _require(condition: bool, name: str, value: Any, what: str) -> None:
    if not condition:
        raise fail("E506", f"the setting `{name}` is {value}, not {what}")


def _require_one(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        remedy = did_you_mean(value, known) or f"known are {one_of(known, 20)}"
        raise fail("E506", f"unknown {name} `{value}`", help=remedy)
