"""What settings there are: a field of each, from which its option and its limits are made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from ..compiler.network.holes import RELAXATIONS
from ..compiler.network.rules import RULES
from ..compiler.system.options import Limits, option
from .losses import LOSSES
from .strategies import SELECTIONS, STRATEGIES
from .tuning import ranges

RULE_NAMES: Mapping[str, str] = {
    **{rule.source: name for name, rule in RULES.items()},
    **{name: name for name in RULES},
}
PRECISIONS = ("float32", "bfloat16", "float16")
MOST_SEEDS = 2**63
_SEEDS = Limits(0, MOST_SEEDS, without_most=True)
_POSITIVE = Limits(0, 1000, without_least=True)
_NOT_NEGATIVE = Limits(0, 1000)
_SHARES = Limits(0, 1, without_most=True)
Tuned: TypeAlias = Literal["", "own", "alike"]


def _setting(
    default: Any,
    help: str,
    *,
    read_by: Collection[str] = ("search", "train"),
    decides: bool = True,
    per_process: bool = False,
    kept: bool = False,
    tuned: Tuned = "",
    **more: Any,
) -> Any:
    """The field of a setting; `read_by` are the commands that it makes a difference to.

    What a search finds depends on those that `decide`. Processes of one study may each have what is
    `per_process`. Those that are `kept` stand beside a genotype. What is `tuned` can be searched
    with the architecture: networks that train together have their `own`, or all have it `alike`.
    """
    return option(
        default,
        help,
        read_by=read_by,
        decides=decides,
        per_process=per_process or not decides,
        kept=kept or bool(tuned),
        tuned=tuned,
        **more,
    )


_SEARCH = ("search",)
_ALL = ("search", "train", "evaluate", "predict")


@dataclass(frozen=True, kw_only=True)
class Fields:
    """The values of all settings, of which nothing is checked yet: see `Settings`."""

    seed: int = _setting(0, "Decides every random number.", limits=_SEEDS)
    split_seed: int = _setting(
        0, "Draws the split of data that have none.", limits=_SEEDS, kept=True
    )
    epochs: int = _setting(30, "Passes over the training samples.", limits=Limits(1), kept=True)
    batch: int = _setting(
        0,
        "Samples in a batch; 0 decides by how many there are.",
        limits=Limits(0),
        read_by=_ALL,
        kept=True,
    )
    max_learning_rate: float = _setting(
        1e-3, "The learning rate that each period begins with.", limits=_POSITIVE, tuned="own"
    )
    min_learning_rate: float = _setting(
        1e-6, "The learning rate that each period ends with.", limits=_NOT_NEGATIVE, tuned="own"
    )
    weight_decay: float = _setting(
        1e-4, "The L2 penalty on weights.", limits=_NOT_NEGATIVE, tuned="own"
    )
    decoupled_decay: float = _setting(
        0.0,
        "A penalty beside the gradient, in shares of the rate.",
        limits=_NOT_NEGATIVE,
        tuned="own",
    )
    clipping: float = _setting(
        0.0, "The longest gradient of a network; 0 is no limit.", limits=_NOT_NEGATIVE, tuned="own"
    )
    smoothing: float = _setting(
        0.0,
        "The share of a label that all classes have.",
        limits=_SHARES,
        tuned="own",
    )
    loss: str = _setting(
        "",
        f"What is learned by: {', '.join(LOSSES)}; the usual one of what is predicted.",
        choices=LOSSES,
        kept=True,
    )
    focus: float = _setting(
        2.0,
        "How little the focal loss counts samples that are right: its exponent.",
        limits=Limits(0, 10, without_least=True),
        kept=True,
    )
    class_weights: str = _setting(
        "",
        "What classes count: balanced, numbers in their order, or by name.",
        metavar="balanced|2,1,…|NAME=2,…",
        kept=True,
    )
    warm_up: float = _setting(
        0.0,
        "Epochs in which the rate rises to what it would be.",
        limits=_NOT_NEGATIVE,
        tuned="own",
    )
    averaging: float = _setting(
        0.0,
        "The decay of the average of weights that is kept; 0 keeps the last.",
        limits=_SHARES,
        tuned="own",
    )
    modality_dropout: float = _setting(
        0.0,
        "How often a training sample lacks a modality, but never all.",
        limits=_SHARES,
        tuned="alike",
    )
    validation_weight: int = _setting(
        0,
        "How often a validation sample is learned for once a training sample; 0 decides.",
        limits=Limits(0, 100),
        kept=True,
    )
    metrics: str = _setting(
        "",
        "Others of torchmetrics' metrics that are recorded of validation.",
        metavar="NAME,…",
    )
    patience: int = _setting(
        0,
        "Stop after so many epochs without a better loss on validation, which is not learned then.",
        limits=Limits(0),
        read_by=("train",),
    )
    first_restart: int = _setting(1, "Epochs of the first period.", limits=Limits(1), tuned="own")
    restart_multiplier: int = _setting(
        2,
        "How many times as long each period is as the one before.",
        limits=Limits(1),
        tuned="own",
    )
    arch_learning_rate: float = _setting(
        3e-4, "The learning rate of architecture parameters.", limits=_POSITIVE, read_by=_SEARCH
    )
    arch_weight_decay: float = _setting(
        1e-3, "The L2 penalty on architecture parameters.", limits=_NOT_NEGATIVE, read_by=_SEARCH
    )
    strategy: str = _setting(
        "halving",
        f"How holes are searched: {', '.join([*STRATEGIES][:4])}, …",
        choices=STRATEGIES,
        read_by=_SEARCH,
    )
    select: str = _setting(
        "",
        f"How the genotype is chosen: {', '.join(SELECTIONS)}.",
        choices=SELECTIONS,
        read_by=_SEARCH,
    )
    second_order: bool = _setting(False, "Unroll darts and gdas by a weight step.", read_by=_SEARCH)
    candidates: int = _setting(
        240,
        "Genotypes that are trained by themselves.",
        limits=Limits(1),
        read_by=_SEARCH,
        per_process=True,
    )
    together: int = _setting(
        128,
        "Genotypes that are trained as one program at most; 1 trains one by one.",
        limits=Limits(1),
        read_by=_SEARCH,
        per_process=True,
    )
    trial_epochs: int = _setting(
        15, "Epochs that such a genotype is trained for.", limits=Limits(1), read_by=_SEARCH
    )
    reduction: int = _setting(
        3, "Halving keeps one in so many from rung to rung.", limits=Limits(2), read_by=_SEARCH
    )
    rungs: int = _setting(4, "The rungs of halving.", limits=Limits(1), read_by=_SEARCH)
    tune: str = _setting(
        "max_learning_rate = 1e-3 | 3e-3 | 1e-2, weight_decay = 1e-3 | 1e-2 | 1e-1",
        "Settings that are searched with the architecture.",
        metavar="NAME=A|B,…",
        read_by=_SEARCH,
    )
    folds: int = _setting(
        0,
        "Parts that finalists are compared by, each held out once; 1 is validation, 0 decides.",
        limits=Limits(0),
        read_by=_SEARCH,
    )
    finalists: int = _setting(
        9,
        "Genotypes and perceptrons that are compared by folds.",
        limits=Limits(1),
        read_by=_SEARCH,
    )
    minutes: float = _setting(
        0.0,
        "The time that a search with its controls may take; 0 is no limit.",
        limits=Limits(0, 1e6),
        read_by=_SEARCH,
    )
    ensemble: bool = _setting(  # the help is that of its option, `--no-ensemble`
        True, "Find the genotype alone, without an ensemble.", read_by=_SEARCH
    )
    perceptrons: bool = _setting(  # as above, `--no-perceptrons`
        True, "Compare genotypes of the space alone, without perceptrons.", read_by=_SEARCH
    )
    member_seeds: int = _setting(
        3,
        "Seeds that each member of an ensemble is trained with.",
        limits=Limits(1, 100),
        read_by=("train",),
    )
    passes: int = _setting(
        3, "How often mfas goes over the Cells.", limits=Limits(1), read_by=_SEARCH
    )
    storage: str = _setting(
        "",
        "Share candidates with other workers (optuna).",
        metavar="JOURNAL|URL",
        read_by=_SEARCH,
        per_process=True,
    )
    profile: str = _setting(
        "",
        "The machine that latency is limited on.",
        metavar="PROFILE.json",
        read_by=_SEARCH,
        decides=False,
    )
    budget_penalty: float = _setting(
        1.0, "What exceeding a budget costs a hypernet.", limits=_NOT_NEGATIVE, read_by=_SEARCH
    )
    relax: str = _setting(
        "per_input",
        "How open inputs are mixed: shared, per_input.",
        choices=RELAXATIONS,
        read_by=_SEARCH,
    )
    rule: str = _setting(
        "",
        "The rule for filling holes: paper (distinct_pairs), published.",
        choices=RULE_NAMES,
        read_by=_SEARCH,
    )
    device: str = _setting("cpu", "cpu, cuda, cuda:1, …", read_by=_ALL, per_process=True)
    threads: int = _setting(
        0,
        "Threads that compute; 0 are as many as make it faster just now.",
        limits=Limits(0, 1024),
        decides=False,
    )
    memory: str = _setting(
        "",
        "The most memory to take; else what this machine has.",
        metavar="64GB",
        read_by=_ALL,
        decides=False,
    )
    precision: str = _setting(
        "float32", "float32, bfloat16 or float16.", choices=PRECISIONS, kept=True
    )
    compile: bool = _setting(False, "Use torch.compile: slow to start, then faster.")
    tensorboard: bool = _setting(False, "Write RUN/tensorboard/ as well.", decides=False)


def _that(**said: object) -> tuple[str, ...]:
    """The names of the settings of which all of this is said."""
    wanted = said.items()
    return tuple(f.name for f in fields(Fields) if wanted <= f.metadata.items())


NOT_DECIDING = _that(decides=False)
"""Settings that what is found does not depend on; of a profile it is the content that counts."""
PER_PROCESS = _that(per_process=True)
"""Settings in which processes of one study may differ."""
KEPT = _that(kept=True)
"""Settings that are kept with a genotype."""
MOVING = _that(tuned="own")
"""Settings of how weights move; each network of those that train together may have its own."""
SHARED = _that(tuned="alike")
"""Settings that networks that train together have alike, since they read the same samples."""
TUNED = (*MOVING, *SHARED)
"""Settings that can be searched with the architecture."""


def searched(settings: Fields) -> Mapping[str, tuple[int | float, ...]]:
    """What each setting that is searched may be; one that is set to something is that."""
    usual = {item.name: item.default for item in fields(settings)}
    known = ranges(settings.tune, TUNED).items()
    return {name: values for name, values in known if getattr(settings, name) == usual[name]}
