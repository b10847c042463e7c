"""The axes of features, as they are declared."""

from __future__ import annotations

from ...ops.types import FEATURE_AXES, Axis
from ..diagnostics.diagnostic import Report
from ..language.nodes import Feature, Modality
from .scope import Sizes

_OPTIONAL = "optional"
"""What a modality may be, and what a feature without axes is called by mistake alone."""


def is_misplaced(feature: Feature) -> bool:
    """Whether a feature is the word that says that a modality may be missing."""
    return feature.axes is None and feature.name == _OPTIONAL


def axes_of(
    feature: Feature, modality: Modality, sizes: Sizes, report: Report
) -> tuple[Axis, ...] | None:
    """The axes that a feature declares, None where its backbone tells; reports what is wrong."""
    if feature.axes is None:
        if is_misplaced(feature):
            message = (
                f"`{_OPTIONAL}` stands among the features of `{modality.name}`, as one of them"
            )
            remedy = f"it comes behind the name: `modality {modality.name} {_OPTIONAL} {{ … }}`"
            report.add("E307", message, feature.span, help=remedy)
        elif modality.backbone is None:
            message = f"the feature `{feature.name}` has no shape"
            remedy = f"write its axes: `{feature.name}[c 512]`, or `[t 8, c 512]`"
            report.add("E307", message, feature.span, help=remedy)
        return None
    axes: list[Axis] = []
    for axis in feature.axes:
        if axis.name not in FEATURE_AXES:
            message = f"unknown axis `{axis.name}` of `{feature.name}`"
            remedy = "axes are `c` channels, `t` time or tokens, `h` height and `w` width"
            report.add("E305", message, axis.span, help=remedy)
        elif any(a.name == axis.name for a in axes):
            message = f"the axis `{axis.name}` of `{feature.name}` stands twice"
            report.add("E305", message, axis.span, help="keep one of them")
        elif axis.size == "*":
            axes.append(Axis(str(axis.name), None))
        else:
            what = f"the axis `{axis.name}` of `{feature.name}`"
            axes.append(Axis(str(axis.name), sizes.read(axis.size, what)))
    if not any(a.name == "c" and a.size is not None for a in axes):
        message = f"the feature `{feature.name}` has no channels of a known number"
        remedy = "give it an axis `c` with a size: `[c 512]`"
        report.add("E305", message, feature.span, help=remedy)
    return tuple(axes)
