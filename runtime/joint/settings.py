"""How backbones are trained together with their fusion network."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.options import Limits, option, require_one

BATCH_NORMS = ("frozen", "running")


@dataclass(frozen=True, kw_only=True)
class JointSettings:
    """What a joint training has beside the settings of any training.

    The learning rate of backbones follows the schedule of the fusion network's from a beginning of
    its own. Batch norm of backbones is `frozen`, with the statistics that it came with, or
    `running`. Raises DiagnosticError for values that cannot be used, alone or together.
    """

    backbone_learning_rate: float = option(
        1e-5,
        "The learning rate that backbones begin with; 0 leaves them as they are.",
        read_by=("train",),
        limits=Limits(0, 1000),
    )
    batch_norm: str = option(
        "frozen",
        "Statistics of backbones: frozen, running.",
        read_by=("train",),
        choices=BATCH_NORMS,
    )
    checkpointing: bool = option(
        False, "Compute layers of backbones twice, and keep less of them.", read_by=("train",)
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            limits: Limits | None = item.metadata["limits"]
            value: Any = getattr(self, item.name)
            if limits is not None and not limits.admit(value):
                raise fail("E506", f"the setting `{item.name}` is {value}, not {limits.text}")
        require_one("batch norm", self.batch_norm, BATCH_NORMS)
        if self.checkpointing and self.batch_norm == "running":
            message = (
                "statistics that run would count a batch twice where layers are computed twice"
            )
            raise fail("E506", message, help="leave out `--checkpointing`, or freeze them")

    def with_options(self, **options: Any) -> JointSettings:
        """These settings with those options that are not None."""
        given = {key: value for key, value in options.items() if value is not None}
        return JointSettings(**{**{f.name: getattr(self, f.name) for f in fields(self)}, **given})
