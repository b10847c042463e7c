"""Mutations of files by structure; each is a function of the original and a random generator."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeAlias

Mutation: TypeAlias = Callable[[bytes, Random], bytes]
TIMES = (1, 1, 1, 2, 3, 8)
"""How many places of an input are changed."""


def either(*mutations: Mutation) -> Mutation:
    """One of several mutations; one that is named twice is twice as likely."""

    def mutate(original: bytes, random: Random) -> bytes:
        return random.choice(mutations)(original, random)

    return mutate
