"""A network as a file that is deployed: compiled, checked, measured, and only then written."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from ...compiler.diagnostics.diagnostic import fail, one_of
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.measure.memory import network_memory, require_memory
from ...compiler.program.weights import WeightSource, unread
from ...compiler.system.files import drafted, is_folder
from ...compiler.system.options import options_read_by, require_one
from ...compiler.targets.ensemble import EnsembleSubject
from ...compiler.targets.onnx.target import ONNX
from ...compiler.targets.safetensors import read_weights
from ...compiler.targets.target import Subject, Target, file_targets, target_of
from ...compiler.targets.torch.target import TORCH
from ..predict.open import Model, data_learned_by, named, open_run, trained_subject, with_weights
from ..runs.folder import RunFolder

FIRST = ("weights", "initial", "data")
"""The options that a diagnostic lists before others."""


def deploy(
    model: Model,
    output: str | PathLike[str],
    to: str | None = None,
    *,
    weights: WeightSource | None = None,
    initial: bool = False,
    memory: str = "",
    **options: Any,
) -> dict[str, Any]:
    """Writes a network to a file, `to` what its ending says; returns what was measured.

    `model` is a run folder, what a training gave, a specification without holes, or a
    `.safetensors` file that holds its specification. A network without weights is written where
    `initial` says so: parameters then have their initial values. `memory` is what parameters and
    data may take, such as `64GB`, else what there is. `options` are those of the target: of
    `OnnxOptions` for ONNX.

    An ONNX file is compared with the reference and with torch, and the certificate written beside
    it as `….certificate.json`; with `data`, its metrics on the test split are in it, those of
    float32 too. `int8-static` takes its ranges from the training split of `data`, or from every
    sample where there are no labels. Raises DiagnosticError, and writes nothing, where anything is
    wrong, an option does not apply, or a float32 model differs.
    """
    place = Path(output)
    target = _target(place, to)
    names = [*FIRST[:2] * target.has_weights, *options_read_by(target.options, "deploy")]
    stated = {"weights": weights, "initial": initial or None, **options}
    chosen = target.chosen(stated, sorted(names, key=lambda name: name not in FIRST))
    subject, run = subject_of(model, chosen.pop("weights", None))
    if isinstance(subject, EnsembleSubject) and not target.ensembles:
        able = [f"`{t.ending}`" for t in file_targets().values() if t.ensembles]
        message = f"the target `{target.name}` takes no ensemble"
        raise fail("E506", message, help=f"end the file in {' or '.join(able)}")
    if target.has_weights:
        require_weights(subject, chosen.pop("initial", False))
        require_memory(network_memory(subject.program), "the network", memory)
    facts: dict[str, Any] = {"file": str(place), "target": target.name}
    with drafted(place, target.beside) as draft:
        measured = _write(target, subject, run, draft, memory, chosen)
        facts |= {"bytes": draft.stat().st_size, **measured}
    if target.has_weights and subject.weights is None:
        facts["note"] = "parameters have their initial values"
    elif target.has_weights:
        left = unread(subject.program, read_weights(subject.weights or {}))
        facts |= {"note": f"not read: {one_of(left, 6)}"} if left else {}
    return facts


def subject_of(model: Model, weights: WeightSource | None) -> tuple[Subject, RunFolder | None]:
    """A specification, a run folder, or a file with both; and the run that its weights are of.

    Raises DiagnosticError for others, and for a network with holes.
    """
    model = named(model)
    if isinstance(model, Spec):
        return with_weights(model, weights), None
    if not isinstance(model, (str, PathLike)):
        return trained_subject(model, weights), None
    path = Path(model)
    if is_folder(path):
        return open_run(RunFolder(path), weights), RunFolder(path) if weights is None else None
    if target_of(path) is TORCH:
        return with_weights(load(path), path if weights is None else weights), None
    if target_of(path) is ONNX:
        remedy = "give the run, or the specification and the weights, that it was made from"
        raise fail("E506", f"`{path}` is compiled already", help=remedy)
    message = f"`{path}` is neither a run folder nor a `{TORCH.ending}` file"
    raise fail("E507", message, help="give the folder that `fusewright train --out` wrote")


def _target(place: Path, to: str | None) -> Target:
    targets = file_targets()
    if to:
        require_one("target", to, list(targets), "targets are")
    target = targets[to] if to else target_of(place)
    if target is None:
        remedy = f"end it in {one_of([t.ending for t in targets.values()])}, or give `--to`"
        raise fail("E506", f"`{place}` names no target", help=remedy)
    return target


def require_weights(subject: Subject, initial: bool) -> None:
    """Raises DiagnosticError where there are no weights, or `initial` ones are not asked for."""
    if subject.weights is None and not initial:
        remedy = "give `--weights FILE.safetensors`, or `--initial` to write it untrained"
        raise fail("E505", "the network has no weights", help=remedy)
    if subject.weights is not None and initial:
        raise fail("E506", "the network has weights", help="leave out `--initial`")


def _write(
    target: Target,
    subject: Subject,
    run: RunFolder | None,
    draft: Path,
    memory: str,
    options: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Writes the file; returns what was measured of it."""
    if target.encode is not None:
        draft.write_bytes(target.encode(subject))
        return {}
    from ...compiler.targets.onnx.options import OnnxOptions
    from .onnx import OnnxDraft

    metadata = run.metadata() if run else {}
    learned = data_learned_by(run) if run else None
    chosen = OnnxOptions(**options, metadata=metadata)
    return OnnxDraft(subject, chosen, memory, learned).write(draft)
