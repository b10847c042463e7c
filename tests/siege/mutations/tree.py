"""Documents of objects, lists, texts and numbers: changed, exchanged, dropped, wrapped."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from math import inf, nan
from random import Random
from typing import Any, TypeAlias

import yaml

from . import TIMES, Mutation

Tree: TypeAlias = Any
KEYS = ("name", "any", "op", "format", "", "\ud7ff", "__class__", "x" * 300)
STRANGE: Sequence[Tree] = (
    *(None, True, False, 0, -1, 1, 2, 10**9, 2**63, -(2**64), 10**30, 0.1, 1e-320, 1e308),
    *(nan, inf, -inf, "", "?", "*", "x", "any", "`", "x @ W[_, C]", "\n", "../../etc", "nan"),
    *("\x00", "x" * 5000, "(" * 200, "9" * 400, "1e999", "[1]"),
    *([], {}, ["x"], {"any": []}, {"any": ["?"]}, {"op": "Sum"}, [["c", "*"]], [[[]]], {"": None}),
)


def mutated_tree(tree: Tree, random: Random) -> Tree:
    """A document with a few of its values changed, or another document altogether."""
    tree = deepcopy(tree)
    if random.random() < 0.01:
        return deepcopy(random.choice(STRANGE))
    for _ in range(random.choice(TIMES)):
        places = places_of(tree)
        if places and random.random() < 0.6:
            _change(*random.choice(places), random)
        elif places:
            _exchange(places, random)
    return tree


def places_of(tree: Tree) -> list[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    places: list[tuple[Any, Any]] = []
    waiting = [tree] if isinstance(tree, dict | list) else []
    while waiting:
        container = waiting.pop()
        keys = container.keys() if isinstance(container, dict) else range(len(container))
        places += [(container, key) for key in keys]
        waiting += [container[key] for key in keys if isinstance(container[key], dict | list)]
    return places


def _exchange(places: Sequence[tuple[Any, Any]], random: Random) -> None:
    """Puts a value of a document where another of its type stands."""
    container, key = random.choice(places)
    alike = [c[k] for c, k in places if type(c[k]) is type(container[key])]
    container[key] = deepcopy(random.choice(alike))


def _change(container: Any, key: Any, random: Random) -> None:
    """Changes one value of a document in its place."""
    value = container[key]
    match random.choice(
        ("replace", "replace", "replace", "drop", "move", "double", "wrap", "deep")
    ):
        case "drop":
            del container[key]
        case "move" if isinstance(container, dict):
            container[random.choice((*container, *KEYS))] = value
        case "double" if isinstance(container, list):
            container[key:key] = deepcopy(container[key : key + 2])
        case "wrap":
            container[key] = random.choice(([value], {"any": [value]}, {"name": value}))
        case "deep" if random.random() < 0.2:
            container[key] = _nested(random.choice((90, 110, 900)), value)
        case _:
            container[key] = deepcopy(random.choice((*STRANGE, _near(value, random))))


def _near(value: Any, random: Random) -> Any:
    """A value of the same type that is not this one."""
    match value:
        case bool():
            return not value
        case int() | float():
            return random.choice((value + 1, -value, value * 2, float(value), str(value)))
        case str():
            return random.choice((value * 2, value[:-1], value.upper(), f"{value}\n", [value]))
        case _:
            return 1


def _nested(depth: int, value: Any) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def as_tree(read: Callable[[bytes], Tree], write: Callable[[Tree, Random], bytes]) -> Mutation:
    """The mutation of files that hold a document."""

    def mutate(original: bytes, random: Random) -> bytes:
        return write(mutated_tree(read(original), random), random)

    return mutate


def json_bytes(tree: Tree, random: Random) -> bytes:
    """A document as JSON, in whose numbers NaN and infinity are as Python writes them."""
    text = json.dumps(tree, ensure_ascii=random.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def yaml_bytes(tree: Tree, random: Random) -> bytes:
    """A document as YAML."""
    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=random.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def toml_bytes(tree: Tree, random: Random) -> bytes:
    """A document as TOML, which it may not be: an entry a line, with tables inline."""
    if not isinstance(tree, dict):
        return _toml(tree).encode("utf-8", "surrogatepass")
    lines = [f"{_key(key)} = {_toml(value)}\n" for key, value in tree.items()]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _toml(value: Tree) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case float():
            return repr(value)
        case _:
            return json.dumps(value)


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else json.dumps(key)


mutated_json = as_tree(json.loads, json_bytes)
"""Of a file of JSON."""
