"""Which emoji are variants of one another, and a split that never parts them.

Emoji come in families: man, woman and person juggling; twenty-four clock faces; hearts of every
colour. A member in training gives its siblings in test away, so a whole family goes to one split.
Three links make families; a family is a connected component of the links:

- name: same subcategory, and at least half of the words of both official names in common. Words are
  compared by their first four letters (`dancer`, `dancing`), and those of `IGNORED` do not count:
  people, numbers, colours, sizes, directions, states, little words. A name with nothing left is
  about a person as such. So `bus` and `oncoming bus` are linked, `rice ball` and `rice bowl` not.
- code: a Unicode code point in common, other than joiners, genders and persons. Emoji that are
  composed of others stay with them: a heart on fire with hearts and with fire, a pilot with planes.
- picture: nearly the same pixels (`SAME_PICTURE`), whatever the names say.

What the links do not join is what there is to learn: a word that recurs in otherwise different
names and a common style, such as yellow faces or purple zodiac squares.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

IGNORED = frozenset(
    "adult baby boy child father female girl male man mans men mens mother mx older people person "
    "woman womans women womens "
    "zero one two three four five six seven eight nine ten eleven twelve thirty hundred half "
    "first second third double "
    "black white red orange yellow green blue purple brown pink grey "
    "large medium small light heavy "
    "up down left right upwards downwards leftwards rightwards facing pointing "
    "new full open opening closed last "
    "and as at for in its no not of on or over the to under behind with without "
    "button face mark sign symbol".split()
)
"""Words that do not make two emoji variants of one another."""

SAME_WORD = {"claus": "christmas", "crown": "prince"}
"""Words that stand for another: names of one emoji that differ by gender and share no word."""

JOINERS = frozenset("200D FE0F 2640 2642 27A1 1F466 1F467 1F468 1F469 1F9D1 1F9D2".split())
"""Code points that compose emoji but do not say what they show: joiner, gender, person, facing."""

SAME_PICTURE = 0.025
"""Mean absolute difference of two pictures' pixels, of the full range, up to which they are one."""

SHARES = (0.6, 0.2, 0.2)
"""Shares of training, validation and test in every category."""


@dataclass(frozen=True)
class Entry:
    """One emoji as the links see it.

    `name`: its official name; `subcategory`: its shelf in the data set; `code`: its code points in
    hexadecimal, joined by `-`.
    """

    name: str
    subcategory: str
    code: str


def families(entries: Sequence[Entry], pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The family of each entry, numbered from 0 in the order of their first members.

    `pictures`: (n, height, width, 4), colour premultiplied by opacity. Returns (n,).
    """
    parent = list(range(len(entries)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i, j in chain(_shared_words(entries), _shared_codes(entries), _same_pictures(pictures)):
        a, b = sorted((root(i), root(j)))
        parent[b] = a
    _, family = np.unique([root(i) for i in range(len(entries))], return_inverse=True)
    return family.astype(np.int64)


def split_families(
    family: NDArray[np.int64], category: NDArray[np.int64], seed: int
) -> NDArray[np.int8]:
    """Splits (n,): 0 training, 1 validation, 2 test, one per family, near `SHARES` per category.

    Families go one by one, large ones first and equal ones in an order drawn from `seed`, to the
    split that lacks most members of the family's categories. So the largest families are training
    data, and no single family fills a test category.
    """
    sizes = Counter(family.tolist())
    draw = {f: hashlib.sha256(f"{seed}:{f}".encode()).digest() for f in sizes}
    missing = np.outer(SHARES, np.bincount(category))
    split = np.zeros(len(family), np.int8)
    for f in sorted(sizes, key=lambda f: (-sizes[f], draw[f])):
        members = np.bincount(category[family == f], minlength=missing.shape[1])
        chosen = int(np.argmax(missing @ members))
        missing[chosen] -= members
        split[family == f] = chosen
    return split


def linked(marks: Iterable[Sequence[Hashable]]) -> NDArray[np.int64]:
    """The family of each thing, numbered from 0: those that have a mark in common, linked.

    Each has as many marks; the first of one is compared with the first of others, and so on.
    """
    links: nx.Graph[tuple[str, Hashable]] = nx.Graph()
    for thing, own in enumerate(marks):
        links.add_edges_from((("thing", thing), (f"{place}", m)) for place, m in enumerate(own))
    found = {
        thing: number
        for number, members in enumerate(nx.connected_components(links))
        for kind, thing in members
        if kind == "thing"
    }
    return np.array([found[thing] for thing in range(len(found))], np.int64)


def _shared_words(entries: Sequence[Entry]) -> Iterable[tuple[int, int]]:
    words = [_words(entry.name) for entry in entries]
    for i, j in combinations(range(len(entries)), 2):
        half = 2 * len(words[i] & words[j]) >= len(words[i] | words[j])
        if half and entries[i].subcategory == entries[j].subcategory:
            yield i, j


def _words(name: str) -> frozenset[str]:
    counted: set[str] = set(re.findall("[a-z]{2,}", name.lower())) - IGNORED
    return frozenset(SAME_WORD.get(word, word)[:4] for word in counted or {"person"})


def _shared_codes(entries: Sequence[Entry]) -> Iterable[tuple[int, int]]:
    first: dict[str, int] = {}
    for i, entry in enumerate(entries):
        for code in set(entry.code.split("-")) - JOINERS:
            yield first.setdefault(code, i), i


def _same_pictures(pictures: NDArray[np.uint8]) -> Iterable[tuple[int, int]]:
    flat = pictures.reshape(len(pictures), -1).astype(np.int16)
    limit = int(SAME_PICTURE * 255 * flat.shape[1])
    for i in range(len(flat) - 1):
        difference = np.abs(flat[i + 1 :] - flat[i]).sum(1, dtype=np.int64)
        yield from ((i, i + 1 + int(j)) for j in np.flatnonzero(difference <= limit))
