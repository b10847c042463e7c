"""Which operations and roles a specification can name: its own, and those of its libraries."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

from ...ops import libraries as _libraries
from ..language.nodes import Definition
from ..language.spec import Spec
from ..syntax.parse import parse

DEFAULT_LIBRARY = "paper"
ROLES = ("adapt", "merge", "combine", "head", "decide")


class AmbiguousName(LookupError):
    """A name that several libraries define; `libraries` says which."""

    def __init__(self, libraries: tuple[str, ...]) -> None:
        super().__init__(libraries)
        self.libraries = libraries


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Definitions by name, and the libraries that stand behind them.

    What a definition calls is looked up in the vocabulary it was written in.
    """

    library: str | None
    operations: Mapping[str, tuple[Definition, ...]]
    roles: tuple[Definition, ...]
    libraries: tuple[Vocabulary, ...] = field(default=())

    def find(self, name: str) -> tuple[tuple[Definition, ...], Vocabulary] | None:
        """The definitions of an operation, one for each number of inputs, and their home.

        Raises AmbiguousName where several libraries have the name and it is not qualified.
        """
        if name in self.operations:
            return self.operations[name], self
        library, _, plain = name.rpartition(".")
        homes = [v for v in self.libraries if not library or v.library == library]
        owners = [v for v in homes if plain in v.operations]
        if len(owners) > 1:
            raise AmbiguousName(tuple(str(v.library) for v in owners))
        return (owners[0].operations[plain], owners[0]) if owners else None

    @cached_property
    def roles_by_place(self) -> Mapping[tuple[str, str | None], list[Definition]]:
        """Roles by their name and the modality that they are for, None where for all."""
        roles: dict[tuple[str, str | None], list[Definition]] = {}
        for definition in self.roles:
            roles.setdefault((definition.name, definition.modality), []).append(definition)
        return roles

    def find_role(
        self, role: str, count: int, modality: str | None = None
    ) -> tuple[Definition, Vocabulary] | None:
        """The definition of a role for `count` inputs: the specification's, else the library's."""
        for home in (self, *self.libraries[:1]):
            places = dict.fromkeys((modality, None))
            mine = [d for place in places for d in home.roles_by_place.get((role, place), ())]
            definition = select(mine, count)
            if definition is not None:
                return definition, home
        return None

    def names(self) -> list[str]:
        """Every name that an operation can be written with."""
        own = list(self.operations)
        for vocabulary in self.libraries:
            own += [n for n in vocabulary.operations if n not in own]
            own += [f"{vocabulary.library}.{n}" for n in vocabulary.operations]
        return own


def select(definitions: Iterable[Definition], count: int) -> Definition | None:
    """The definition for `count` inputs: one that names them all before one that takes the rest."""
    fitting = [d for d in definitions if d.takes(count)]
    return min(fitting, key=lambda d: d.rest, default=None)


def library_names() -> list[str]:
    """The libraries there are: the `.fuse` files of `ops/libraries`."""
    files = (os.path.splitext(name) for name in os.listdir(_folder()))
    return sorted(stem for stem, ending in files if ending == ".fuse")


@cache
def library(name: str) -> Vocabulary:
    """The library of that name, which must be one of `library_names()`."""
    with open(library_path(name), encoding="utf-8") as file:
        return _vocabulary(name, parse(file.read(), f"{name}.fuse"))


def libraries_of(spec: Spec) -> list[str]:
    """The libraries that a specification uses, each once; those that are not known are left out."""
    names = library_names()
    chosen = [use.library for use in spec.uses if use.library in names]
    return list(dict.fromkeys(chosen)) or [DEFAULT_LIBRARY]


def vocabulary_of(spec: Spec) -> Vocabulary:
    """The vocabulary of a specification: its own operations, and those of its libraries."""
    return _vocabulary(None, spec, tuple(library(name) for name in libraries_of(spec)))


def _vocabulary(name: str | None, spec: Spec, libraries: tuple[Vocabulary, ...] = ()) -> Vocabulary:
    operations: dict[str, tuple[Definition, ...]] = {}
    for definition in (d for d in spec.definitions if not d.role):
        operations[definition.name] = (*operations.get(definition.name, ()), definition)
    return Vocabulary(name, operations, tuple(d for d in spec.definitions if d.role), libraries)


def library_path(name: str) -> str:
    """The file of a library."""
    return os.path.join(_folder(), f"{name}.fuse")


def _folder() -> str:
    return next(iter(_libraries.__path__))
