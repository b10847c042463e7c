"""One ONNX file of a network with its backbones, which takes raw inputs, certified as any other."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.diagnostics.text import json_text
from ...compiler.program.weights import WeightSource
from ...compiler.system.files import drafted
from ...compiler.targets.ensemble import EnsembleSubject
from ...compiler.targets.onnx.options import OnnxOptions
from ...compiler.targets.onnx.target import ONNX
from ..backbones.options import BackboneOptions
from ..joint.certificate import certified
from ..joint.export import joint_model
from ..joint.modalities import raw_modalities
from ..predict.open import Model
from ..runs.names import BACKBONES
from .deploy import require_weights, subject_of
from .onnx import save_model


def deploy_joint(
    model: Model,
    output: str | PathLike[str],
    *,
    backbones: BackboneOptions | None = None,
    weights: WeightSource | None = None,
    initial: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Writes a network together with the backbones that its specification names.

    `model` is as for `deploy`; of a run that was trained with its backbones, they have their
    weights of there. `options` are of `OnnxOptions`, in float32 alone and without data. Raises
    DiagnosticError, and writes nothing, where a backbone cannot be opened or exported, or the model
    differs from the reference.
    """
    place = Path(output)
    if place.suffix != ONNX.ending:
        raise fail("E506", f"`{place}` is no name of an ONNX file", help="end it in `.onnx`")
    chosen = OnnxOptions(**{key: value for key, value in options.items() if value is not None})
    if chosen.precision != "float32" or chosen.data is not None:
        message = "a model with backbones is written in float32, and without data"
        raise fail("E506", message, help="leave out `--precision` and `--data`")
    if chosen.card:
        message = "a model with backbones is written without a card"
        raise fail("E506", message, help="leave out `--card`; its certificate says what is known")
    if chosen.embedding:
        message = "a model with backbones gives no embedding"
        raise fail("E506", message, help="leave out `--embedding`")
    subject, run = subject_of(model, weights)
    if isinstance(subject, EnsembleSubject):
        raise fail("E506", "an ensemble is not joined with backbones", help="take a single network")
    require_weights(subject, initial)
    given = (backbones or BackboneOptions()).with_options(initial=initial or None)
    if run is not None:
        given = given.with_trained(subject.network.spec, run.path / BACKBONES)
    modalities = raw_modalities(subject.network.spec, given, subject.network)
    facts: dict[str, Any] = {"file": str(place), "target": "onnx, from raw inputs"}
    facts |= {
        f"backbone of {s.name}": f"{s.backbone.name}, {s.backbone.weights}" for s in modalities
    }
    metadata = run.metadata() if run else {}
    exported = joint_model(subject, modalities, replace(chosen, metadata=metadata))
    with drafted(place, ONNX.beside) as draft:
        save_model(exported, draft, chosen.external_data)
        facts["bytes"] = draft.stat().st_size
        if chosen.verify:
            facts |= certified(draft, subject, modalities).as_json()
            text = json_text(facts, indent=1)
            beside = draft.with_name(f"{draft.name}.certificate.json")
            beside.write_text(text + "\n", encoding="utf-8")
    return facts
