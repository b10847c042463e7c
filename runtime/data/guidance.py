"""Guidance: what commonly costs accuracy, though a network and its data fit each other."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ...compiler.check.check import checked
from ...compiler.check.lint import idle_modalities
from ...compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError, Note, Report
from ...compiler.graph.build import build
from ...compiler.language.expression import Call, walk
from ...compiler.language.spec import Spec
from ...compiler.lowering.lower import lower
from ...compiler.measure.sizes import count_chosen, count_parameters
from ...compiler.network.choices import Choices
from ...compiler.network.fillings import fillings
from ...compiler.network.network import Network, NetworkFeature
from ...compiler.program.program import Program
from ...compiler.resolve.resolve import resolve
from ..genotypes.sample import draw_within
from .checks import data_warnings, metric_warnings
from .classes import with_names
from .dataset import Dataset, load_data
from .sources import Data, source_of
from .split import TRAIN, VALIDATION

FEW_CHANNELS = 4
"""Channels up to which an array is taken for one that no backbone has made."""
PLACES = 4
"""Places for each that an adapter gives from which on what it leaves out is worth a word."""
MANY = 500
"""Parameters for each sample that is learned from which on that is worth a word: fewer did no harm
where it was measured (`docs/guidance.md`)."""


def doubts_of(spec: Spec, data: Data) -> tuple[Diagnostic, ...]:
    """What is to be doubted of data, and what commonly costs accuracy on them.

    Raises DiagnosticError where the specification is wrong or the data do not fit it.
    """
    source = source_of(data)
    network = with_names(checked(spec), source)
    samples = load_data(source, network)
    measured = metric_warnings(samples, network.head, VALIDATION)
    return (*data_warnings(samples, network), *guidance(samples, network), *measured)


def unused_by(genotype: Spec) -> tuple[Diagnostic, ...]:
    """The modalities that a genotype which was found makes no use of."""
    report = Report()
    idle_modalities(resolve(genotype), report, found=True)
    return tuple(report.diagnostics)


def guidance(
    data: Dataset, network: Network, program: Program | None = None
) -> tuple[Diagnostic, ...]:
    """What to look at first where a network does worse than it should on these data.

    `program` is the network's before any pass, however relaxed, where there is one already.
    """
    report = Report()
    for feature in network.features:
        _pooled(feature, network.numbers["L"], data, report)
    if not network.has_holes:
        idle_modalities(network, report)
    _parameters(data, network, program or lower(build(network)), report)
    return tuple(report.diagnostics)


def _pooled(feature: NetworkFeature, length: int | float, data: Dataset, report: Report) -> None:
    """Places of a raw picture or signal of which an adapter keeps few numbers."""
    body = feature.adapt.definition.body
    called = {e.function for e in walk(body) if isinstance(e, Call)}
    sizes = {a.name: a.size for a in feature.axes or ()}
    shape = data.features[feature.name].shape[1:]
    channels = sizes["c"] or 1
    places = prod(shape) // channels
    if "resample" not in called or channels > FEW_CHANNELS or places < PLACES * length:
        return
    numbers = f"{int(length) * channels} numbers of {places * channels}"
    message = f"the adapter of `{feature.name}` keeps {numbers}"
    note = Note(f"it takes one value of {places / length:.3g} places, in each channel")
    flat = f"(samples, {places * channels}) in the data, `{feature.name}[c {places * channels}]`"
    remedy = f"extract it by a backbone, or give its places as channels: {flat}"
    report.add("W510", message, feature.span, help=remedy, notes=[note])


def _parameters(data: Dataset, network: Network, program: Program, report: Report) -> None:
    """Many more parameters than samples to learn them from; of a space, those of one genotype."""
    samples = int((data.split == TRAIN).sum())
    try:
        parameters = (
            count_chosen(program, network, _drawn(network))
            if network.has_holes
            else count_parameters(program)
        )
    except DiagnosticError:  # no genotype was found by chance; the search says more
        return
    if parameters < MANY * samples:
        return
    whose = "a genotype of it has" if network.has_holes else "the network has"
    message = f"{whose} {parameters:,} parameters, and {samples:,} samples to learn them from"
    remedy = "lower C or L, raise `dropout` and `weight_decay`, or add samples"
    report.add("W511", message, help=remedy)


def _drawn(network: Network) -> Choices:
    """A choice of the first variant, which the network is, with as much in its output as may be.

    Raises DiagnosticError where none was found.
    """
    drawn = draw_within(network, np.random.default_rng(0))
    if not any(slot.optional for slot in network.outputs):
        return drawn
    return replace(drawn, outputs=next(fillings(network.outputs)))
