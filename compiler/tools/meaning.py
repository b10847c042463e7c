"""What a specification means, as a text that is equal wherever two of them mean the same."""

from __future__ import annotations

from collections.abc import Iterator

from ..language.spec import Spec
from ..network.holes import holes_of
from ..network.network import Network
from ..resolve.resolve import resolve
from .facts import ambiguous, facts, orders

_UNORDERED = "features"
"""What stands in an order that decides how candidates are listed, and nothing else."""


def meaning(network: Network, *, ordered: bool = True) -> str:
    """What a network says, whatever its text looks like: comments, defaults, families written out.

    Where it is `ordered`, the order of what it is made of and of candidates belongs to it, on which
    the numbers of a run depend; else only where it means something in the architecture.
    """
    own = ambiguous(network)
    pieces = sorted(
        (*p.identity, _text({name: part.key for name, part in p.parts.items()}))
        for p in facts(network, own)
    )
    order = dict(orders(network))
    if ordered:
        order |= dict(_in_order(network))
    else:
        order.pop(_UNORDERED, None)
    return _text((tuple(pieces), order))


def means_the_same(one: Spec, other: Spec) -> bool:
    """Whether two specifications mean the same, in the same order; both have to resolve."""
    return one == other or meaning(resolve(one)) == meaning(resolve(other))


def _in_order(network: Network) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names of features, Cells and Steps, and the candidates of every hole, as they stand."""
    yield "features", tuple(f.name for f in network.features)
    yield "Cells", tuple(c.name for c in network.cells)
    for cell in network.cells:
        yield f"Steps of {cell.name}", tuple(s.name for s in cell.steps)
    for hole in holes_of(network, "per_input"):
        yield hole.parameter, hole.candidates
    yield "variants", tuple(map(str, network.global_holes))


def _text(value: object) -> str:
    """A value as text; sets and mappings in an order of their own."""
    match value:
        case frozenset():
            return f"{{{', '.join(sorted(map(_text, value)))}}}"
        case dict():
            pairs = ((_text(key), _text(one)) for key, one in value.items())
            return f"{{{', '.join(sorted(f'{key}: {one}' for key, one in pairs))}}}"
        case tuple():
            return f"({', '.join(map(_text, value))})"
        case _:
            return repr(value)
