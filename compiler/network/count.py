"""A number of choices, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10
from typing import Any

LARGEST_WRITTEN = 10**300
"""Numbers from here on are left out of JSON, where many readers cannot take them."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number between two bounds, which are equal where it is exact."""

    low: int
    high: int

    @property
    def exact(self) -> bool:
        return self.low == self.high

    def __mul__(self, other: Count) -> Count:
        return Count(self.low * other.low, self.high * other.high)

    def __str__(self) -> str:
        if self.exact:
            return readable(self.low)
        return f"between {readable(self.low)} and {readable(self.high)} (bounds)"

    def as_json(self) -> dict[str, Any]:
        """Bounds as numbers, or None beyond what a JSON reader takes; their log10; exactness."""
        return {
            "low": self.low if self.low < LARGEST_WRITTEN else None,
            "high": self.high if self.high < LARGEST_WRITTEN else None,
            "log10_low": log10(self.low) if self.low else None,
            "log10_high": log10(self.high) if self.high else None,
            "exact": self.exact,
        }


def readable(number: int) -> str:
    """A count with its digits in groups, or as a power of ten where it is very large."""
    if number < 10**15:
        return f"{number:,}"
    exponent = floor(log10(number))
    return f"{number // 10 ** (exponent - 2) / 100:.2f} × 10^{exponent}"
