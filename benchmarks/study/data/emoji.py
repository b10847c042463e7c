"""Emoji: the demo's data, a picture and its names, fused to tell the category.

Source and licences: `runtime/demo/ATTRIBUTION.md` (Twemoji, CC BY 4.0; emoji-data, MIT licence).
"""

from fusewright.runtime.demo.emoji import load_emoji
from fusewright.runtime.demo.extract import extract

from .features import Arrays


def build() -> Arrays:
    """The features of the demo's specification, `labels`, `split` and `groups`."""
    found = extract(seed=0)
    rest: Arrays = {"labels": found.labels, "split": found.split, "groups": load_emoji().families}
    return {**found.features, **rest}
