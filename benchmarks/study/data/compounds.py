"""Melting points of the compounds that `melting` leaves: none of its own, nor isomers of them.

Source, licences and what a sample is: `melting.py`.
"""

from pathlib import Path

from . import melting
from .features import Arrays

LENGTH = 96
"""Most of what is left is larger than the compounds of `melting`."""


def build(wheel: Path) -> Arrays:
    """The features of the specification, `labels` and `split`."""
    taken = melting.chosen(melting.read_wheel(wheel, melting.LENGTH))
    return melting.features_of(rest(melting.read_wheel(wheel, LENGTH), taken), LENGTH, LENGTH)


def rest(
    compounds: list[melting.Compound], taken: list[melting.Compound]
) -> list[melting.Compound]:
    """The compounds whose formula none of those that are taken has."""
    formulas = {one.formula for one in taken}
    return [one for one in compounds if one.formula not in formulas]
