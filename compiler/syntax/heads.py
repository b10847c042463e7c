"""What is predicted, as Spec nodes: one head, or several by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from ..diagnostics.diagnostic import did_you_mean, one_of
from ..diagnostics.source import Name
from ..language.nodes import HEAD_SETTINGS, HeadKind, Predict, Reference, Setting
from .equations import EquationBuilder
from .lalr import Range


@dataclass(frozen=True, slots=True)
class _Head:
    """The name of a head, and what stands in its parentheses."""

    name: Name
    arguments: tuple[Reference | Setting, ...]


class HeadBuilder(EquationBuilder):
    """Turns what is parsed of `predict` statements into nodes."""

    def predict(self, place: Range, parts: list[Any]) -> Predict:
        head, count, kind, names = parts
        reads, settings = ([], {}) if head is None else self._of_head(head)
        return Predict(
            self._count(count),
            cast(HeadKind, str(kind)),
            None if names is None else tuple(names),
            None if head is None else head.name,
            tuple(reads),
            settings.get("weight"),
            settings.get("loss"),
            span=self._span(place),
        )

    def _of_head(self, head: _Head) -> tuple[list[Reference], dict[str, Any]]:
        """What a head reads, and what is set of it."""
        reads: list[Reference] = []
        settings: dict[str, Any] = {}
        for argument in head.arguments:
            if isinstance(argument, Setting):
                self._set(head, argument, settings)
            elif settings:
                message = "what a head reads stands after its settings"
                remedy = "write what it reads first, then settings by name"
                self._report.add("E008", message, argument.span, help=remedy)
            else:
                reads.append(argument)
        return reads, settings

    def _set(self, head: _Head, setting: Setting, settings: dict[str, Any]) -> None:
        key, value = setting
        if key not in HEAD_SETTINGS:
            message = f"a head has no setting `{key}`"
            remedy = did_you_mean(key, HEAD_SETTINGS) or f"it has {one_of(HEAD_SETTINGS)}"
            self._report.add("E008", message, setting.span, help=remedy)
        elif key in settings:
            message = f"`{key}` of `{head.name}` is set twice"
            self._report.add("E008", message, setting.span, help="keep one of them")
        elif key == "loss" and not isinstance(value, str):
            message = f"the loss of `{head.name}` is not given a name"
            self._report.add("E005", message, setting.span, help="write `loss = evidential`, say")
        settings.setdefault(key, value if key == "weight" or isinstance(value, str) else None)

    def head(self, place: Range, parts: list[Any]) -> _Head:
        name, arguments = parts
        return _Head(name, arguments or ())

    def head_arguments(self, place: Range, parts: list[Any]) -> tuple[Reference | Setting, ...]:
        return tuple(parts)
