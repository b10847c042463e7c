"""What is predicted, with its names bound: one head, or several by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..diagnostics.diagnostic import Report, did_you_mean, one_of
from ..diagnostics.source import Span, span_of
from ..language.nodes import Predict
from ..language.spec import Spec
from ..network.network import COMBINE, HEAD_LOSSES, Head, NetworkHead
from .operations import OperationResolver
from .scope import Sizes, known_instead, listed

MOST_CLASSES = 1_000_000
MOST_HEADS = 100
DECIDE = "decide"
"""The role that makes the logits of a head of those of others."""


@dataclass(frozen=True)
class HeadResolver:
    """Binds what the heads of one specification read."""

    spec: Spec
    operations: OperationResolver
    sizes: Sizes
    report: Report

    def only(self, start: Span | None) -> Head | None:
        """The head that has no name; reports where there is none, at the start of the text."""
        if self.spec.predict is not None:
            return self._head(self.spec.predict)
        if not self.spec.heads:
            remedy = "add `predict 10 classes`, `23 labels` or `1 values`"
            self.report.add("E007", "there is no `predict` statement", start, help=remedy)
        return None

    def named(self, sequence: Sequence[str]) -> list[NetworkHead]:
        """The heads that have names; `sequence` are the features and Cells that they may read."""
        spec = self.spec
        if spec.heads and spec.predict is not None:
            message = "a head without a name stands beside others"
            remedy = f"name it: `predict NAME {spec.predict.count} {spec.predict.kind}`"
            self.report.add("E311", message, spec.predict.span, help=remedy)
        if len(spec.heads) > MOST_HEADS:
            message = f"there are {len(spec.heads)} heads, more than {MOST_HEADS}"
            self.report.add("E308", message, spec.heads[MOST_HEADS].span, help="use fewer")
            return []
        known: dict[str, NetworkHead] = {}
        for predict in spec.heads:
            head = self._named(predict, sequence, known)
            if head is not None:
                known.setdefault(head.name, head)
        return list(known.values())

    def _named(
        self, predict: Predict, sequence: Sequence[str], before: dict[str, NetworkHead]
    ) -> NetworkHead | None:
        head, name = self._head(predict), str(predict.name)
        unknown = "unknown feature, Cell or head before it `{}`"
        known = list(dict.fromkeys((*sequence, *before)))
        reads = listed(predict.reads, known, unknown, self.report)
        heads = [before[r] for r in reads if r in before]
        if heads and len(heads) < len(reads):
            message = f"`{name}` reads heads and what is none"
            remedy = "a head reads features and Cells, or it decides by other heads"
            self.report.add("E311", message, predict.span, help=remedy)
            return None
        if heads:
            self._require_alike(predict, head, heads)
            role, combine = self.operations.role(DECIDE, len(heads), None, predict.span), None
        else:
            role = self.operations.role("head", 1, None)
            combine = self.operations.role(COMBINE, len(reads), None) if reads else None
            if reads and combine is None:
                return None
        if role is None:
            return None
        return NetworkHead(name, head, tuple(reads), combine, role, bool(heads), predict.span)

    def _require_alike(self, predict: Predict, head: Head, heads: Iterable[NetworkHead]) -> None:
        """Reports a head that decides by others that predict something else."""
        for other in heads:
            if (other.head.count, other.head.kind) != (head.count, head.kind):
                message = (
                    f"`{predict.name}` predicts {head.count} {head.kind}, and "
                    f"`{other.name}`, which it reads, {other.head.count} {other.head.kind}"
                )
                remedy = "a head decides by heads that predict the same"
                self.report.add("E311", message, predict.span, help=remedy)

    def _head(self, predict: Predict) -> Head:
        count = self.sizes.read(predict.count, "what is predicted", MOST_CLASSES)
        self._check_names(predict, count)
        names = predict.names and tuple(map(str, predict.names))
        name = None if predict.name is None else str(predict.name)
        weight, loss = self._weight(predict), self._loss(predict)
        return Head(count, predict.kind, names, name, weight, loss)

    def _check_names(self, predict: Predict, count: int) -> None:
        if predict.names is None:
            return
        if len(predict.names) != count:
            message = f"{len(predict.names)} names are given for {count} {predict.kind}"
            self.report.add("E309", message, predict.span, help="give each a name, or none")
        seen: set[str] = set()
        for name in predict.names:
            if name in seen:
                place = span_of(name) or predict.span
                message = f"two {predict.kind} are named `{name}`"
                self.report.add("E202", message, place, help="rename one of them")
                break
            seen.add(name)

    def _weight(self, predict: Predict) -> float:
        """What the head's loss counts in the sum, 1 where nothing is said."""
        weight = predict.weight
        if weight is None:
            return 1.0
        value = self.sizes.numbers.get(weight) if isinstance(weight, str) else weight
        place = span_of(weight) or predict.span
        if value is None:
            remedy = known_instead(str(weight), tuple(self.sizes.numbers), self.report)
            self.report.add("E207", f"unknown number `{weight}`", place, help=remedy)
            return 1.0
        if not 0 <= value < float("inf"):
            message = f"the weight of `{predict.name}` is {value}"
            self.report.add("E306", message, place, help="write a number from 0")
        return float(value)

    def _loss(self, predict: Predict) -> str | None:
        if predict.loss is None:
            return None
        place, loss = span_of(predict.loss) or predict.span, str(predict.loss)
        if loss not in HEAD_LOSSES:
            remedy = did_you_mean(loss, HEAD_LOSSES) or f"known are {one_of(list(HEAD_LOSSES))}"
            self.report.add("E208", f"unknown loss `{loss}`", place, help=remedy)
            return None
        if predict.kind not in HEAD_LOSSES[loss]:
            message = f"the loss `{loss}` is not for {predict.kind}"
            self.report.add("E311", message, place, help=f"it is for {one_of(HEAD_LOSSES[loss])}")
        return loss
