"""Trusted fusion of a genotype beside its modalities: our reading of TEF (ICLR 2025).

What a genotype has as its output is one more view beside the last feature of each modality. Every
view has a head, as the genotype has one, that learns evidence; a last head combines them by the
rule of Dempster and Shafer. Its equations stand in the library `evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from ...compiler.language.expression import Body, Call, Expression, Name
from ...compiler.language.nodes import Definition, Reference, Use
from ...compiler.language.spec import Spec
from ...compiler.network.network import EVIDENTIAL
from ...compiler.network.vocabulary import libraries_of, vocabulary_of

TEF = "trusted fusion (TEF)"
LIBRARY = "evidence"
HEAD, DECIDE = "head", "decide"


def tef(spec: Spec) -> Spec | None:
    """The genotype's views with a head for each, and a last one that decides by them.

    None where that is nothing: it is for classes that one head without a name predicts, and for
    several modalities.
    """
    predict = spec.predict
    if predict is None or predict.kind != "classes" or len(spec.modalities) < 2:
        return None
    *views, decision = _names(spec)
    every = tuple(map(Reference, views))
    last = [(Reference(m.features[-1].name),) for m in spec.modalities]
    reads = zip((*views, decision), (*last, (), every), strict=True)
    others = (d for d in spec.definitions if not d.role or d.name not in (HEAD, DECIDE))
    return replace(
        spec,
        uses=tuple(map(Use, dict.fromkeys((*libraries_of(spec), LIBRARY)))),
        definitions=(*others, _head(spec), _decide(len(views))),
        pool=None,
        requirements=(),
        predict=None,
        heads=tuple(replace(predict, name=n, reads=r, loss=EVIDENTIAL) for n, r in reads),
    )


def _names(spec: Spec) -> list[str]:
    """The heads' names: one for each modality, for the genotype, and for the decision."""
    taken = {f.name for m in spec.modalities for f in m.features} | {c.name for c in spec.cells}
    found: list[str] = []
    for name in (*(f"{m.name}_view" for m in spec.modalities), "searched_view", "all_views"):
        while name in taken:
            name += "_"
        taken.add(name)
        found.append(name)
    return found


def _head(spec: Spec) -> Definition:
    """The role of the genotype's head, whose logits become evidence."""
    found = vocabulary_of(spec).find_role(HEAD, 1)
    assert found is not None, "every library has the role"
    own, _ = found
    result = _called("Evidence", own.body.result)
    return replace(own, body=replace(own.body, result=result))


def _decide(count: int) -> Definition:
    """The role that combines so many opinions, two at a time."""
    inputs = tuple(f"h{number}" for number in range(1, count + 1))
    every: Sequence[Expression] = [Name(name) for name in inputs]
    combined = reduce(lambda one, other: _called("Dempster", one, other), every)
    return Definition(DECIDE, inputs, Body(combined), role=True)


def _called(operation: str, *inputs: Expression) -> Call:
    return Call(f"{LIBRARY}.{operation}", inputs)
