"""Specifications that name backbones: shapes are read off these, and written ones are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from ...compiler.diagnostics.diagnostic import Note, Report
from ...compiler.diagnostics.source import span_of
from ...compiler.language.nodes import Feature, FeatureAxis, Modality
from ...compiler.language.printer import axes as written
from ...compiler.language.spec import Spec
from .backbone import Backbone, open_structure
from .hooks import WHOLE
from .options import BackboneOptions
from .shapes import Layout, layouts


def path_of(feature: Feature) -> str:
    """The part of its backbone that a feature is: what stands behind `at`, or the whole."""
    return feature.at if feature.at is not None else WHOLE


def backbones_of(spec: Spec, opened: Callable[[str], Backbone]) -> dict[str, Backbone]:
    """The backbones that modalities name, by `PROVIDER:MODEL`, each opened once."""
    named = dict.fromkeys(m.backbone for m in spec.modalities if m.backbone is not None)
    return {reference: opened(reference) for reference in named}


def with_shapes(spec: Spec, options: BackboneOptions) -> Spec:
    """The specification with the axes of every feature that comes from a backbone.

    Those that are not written are read off a dry run on the meta device, those that are written are
    checked. Raises DiagnosticError where they differ, and as `open_structure` and `layouts` do.
    """
    report = Report()
    opened = backbones_of(spec, partial(open_structure, options=options))
    modalities = tuple(
        m if m.backbone is None else _shaped(m, opened[m.backbone], spec, report)
        for m in spec.modalities
    )
    report.raise_errors()
    return replace(spec, modalities=modalities)


def _shaped(modality: Modality, backbone: Backbone, spec: Spec, report: Report) -> Modality:
    """A modality whose features have the axes that its backbone gives."""
    paths = list(dict.fromkeys(path_of(feature) for feature in modality.features))
    found = layouts(backbone, paths)
    numbers = spec.network.values if spec.network is not None else {}
    features: list[Feature] = []
    for feature in modality.features:
        layout = found[path_of(feature)]
        if feature.axes is None:
            feature = replace(feature, axes=_read(feature, layout, report))
        elif not _agree(feature.axes, layout, numbers):
            _refuse(feature, modality, layout, report)
        features.append(feature)
    return replace(modality, features=tuple(features))


def _read(feature: Feature, layout: Layout, report: Report) -> tuple[FeatureAxis, ...] | None:
    axes = layout.axes
    if axes is None:
        message = f"what the axes ({_shown(layout)}) of `{feature.name}` mean is not known"
        remedy = "write them, as in `[t 16, c 64]`, or tap another part"
        report.add("E307", message, feature.span, help=remedy)
        return None
    return tuple(FeatureAxis(a.name, "*" if a.size is None else a.size) for a in axes)


def _agree(
    axes: tuple[FeatureAxis, ...], layout: Layout, numbers: Mapping[str, int | float]
) -> bool:
    """Whether written axes are those of a layout: sizes but for open ones, names that were seen."""
    if len(axes) != len(layout.sizes):
        return False
    for axis, size, name in zip(axes, layout.sizes, layout.names, strict=True):
        stated = numbers.get(axis.size, axis.size) if isinstance(axis.size, str) else axis.size
        is_alike = stated in ("*", "*" if size is None else size)
        if not is_alike or (layout.seen and axis.name != name):
            return False
    return True


def _refuse(feature: Feature, modality: Modality, layout: Layout, report: Report) -> None:
    """Says that written axes are not what the backbone gives, with the places of both."""
    stated = f"[{written(feature.axes or ())}]"
    message = f"`{feature.name}` is declared {stated}, but its backbone gives ({_shown(layout)})"
    place = span_of(feature.at) or span_of(modality.backbone)
    notes = [Note("it is given here", place)] if place is not None else []
    axes = layout.axes
    remedy = "leave out the axes, and they are read off"
    if axes is not None:
        remedy = f"write `{feature.name}[{', '.join(map(str, axes))}]`, or leave out the axes"
    first, last = (feature.axes or (None,))[0], (feature.axes or (None,))[-1]
    span = first.span.to(last.span) if first and last and first.span and last.span else feature.span
    report.add("E310", message, span, help=remedy, notes=notes)


def _shown(layout: Layout) -> str:
    return ", ".join("*" if size is None else str(size) for size in layout.sizes)
