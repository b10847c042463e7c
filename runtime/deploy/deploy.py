"""A network as a file that is deployed: compiled, checked, measured, and only then written.

NOTE: a target imports what it needs when it writes; ONNX stands in `deploy_onnx.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from ...compiler.check.check import checked, require_no_holes
from ...compiler.compile import WeightSource, compile, taken, to_program
from ...compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ...compiler.language.spec import Spec
from ...compiler.load import ONNX, SAFETENSORS, load
from ...compiler.system.files import drafted
from ..predict.open import Model, open_run, with_weights
from ..runs.folder import RunFolder

if TYPE_CHECKING:
    from ...compiler.program.weights import Weights
    from ...compiler.targets.onnx.precision import Precision
    from ..data.dataset import Source


class OnnxOptions(TypedDict, total=False):
    """What may be said of an ONNX file; `deploy_onnx.OnnxDraft` has the defaults."""

    data: Source
    opset: int
    inline: bool
    probabilities: bool
    precision: Precision
    external_data: bool
    verify: bool


@dataclass(frozen=True)
class Subject:
    """What is deployed: a network, its weights if there are any, and the run that they are of."""

    spec: Spec
    weights: Weights | None
    run: RunFolder | None = None

    @classmethod
    def of(cls, model: Model, weights: WeightSource | None) -> Subject:
        """A specification, a run folder, or a `.safetensors` file with its specification.

        Raises DiagnosticError for others, and for a network with holes.
        """
        if isinstance(model, Spec):
            if weights is not None:
                return cls(model, with_weights(model, weights)[1])
            require_no_holes(checked(model))
            return cls(model, None)
        path = Path(model)
        if path.is_dir():
            network, arrays = open_run(RunFolder(path), weights)
            return cls(network.spec, arrays, RunFolder(path) if weights is None else None)
        if path.suffix == SAFETENSORS:
            return cls.of(load(path), path if weights is None else weights)
        if path.suffix == ONNX:
            remedy = "give the run, or the specification and the weights, that it was made from"
            raise fail("E506", f"`{path}` is compiled already", help=remedy)
        message = f"`{path}` is neither a run folder nor a `{SAFETENSORS}` file"
        raise fail("E507", message, help="give the folder that `fusewright train --out` wrote")


@dataclass(frozen=True)
class FileTarget:
    """A kind of file: its ending, the options it takes, and what writes it.

    `write` is given the subject, where to write, and the options; it returns what it measured.
    `beside` are the endings of files that belong to one of this kind.
    """

    ending: str
    write: Callable[..., Mapping[str, Any]]
    options: tuple[str, ...] = ("weights", "initial")
    beside: tuple[str, ...] = ()

    @property
    def has_weights(self) -> bool:
        return "weights" in self.options


def deploy(
    model: Model,
    output: str | PathLike[str],
    to: str | None = None,
    *,
    weights: WeightSource | None = None,
    initial: bool = False,
    **options: Unpack[OnnxOptions],
) -> dict[str, Any]:
    """Writes a network to a file, `to` what its ending says; returns what was measured.

    `model` is a run folder, a specification without holes, or a `.safetensors` file that holds its
    specification. A network without weights is written where `initial` says so: parameters then
    have their initial values. `options` are those of ONNX: `opset` from 17 to 24; `inline`, without
    functions; `probabilities` instead of logits; `precision`, one of `float32`, `float16`, `int8`
    and `int8-static`; `external_data`, weights in a file of their own; `verify=False`, not run.

    An ONNX file is compared with the reference and with torch, and the certificate written beside
    it as `….certificate.json`; with `data`, its metrics on the test split are in it, those of
    float32 too. `int8-static` takes its ranges from the training split of `data`, or from every
    sample where there are no labels. Raises DiagnosticError, and writes nothing, where anything is
    wrong, an option does not apply, or a float32 model differs.
    """
    place = Path(output)
    name = to or _by_ending(place)
    target = _target(name)
    stated = {"weights": weights, "initial": initial or None, **options}
    given = taken(name, stated, target.options)
    subject = Subject.of(model, given.pop("weights", None))
    if target.has_weights:
        _require_weights(subject, given.pop("initial", False))
    found: dict[str, Any] = {"file": str(place), "target": name}
    with drafted(place, target.beside) as draft:
        measured = target.write(subject, draft, **given)
        found |= {"bytes": draft.stat().st_size, **measured}
    if target.has_weights and subject.weights is None:
        found["note"] = "parameters have their initial values"
    elif target.has_weights and (left := _unread(subject)):
        found["note"] = f"not read: {one_of(left, 6)}"
    return found


def _unread(subject: Subject) -> list[str]:
    """The weights that the network does not have, as those of a hypernet beside its genotype's."""
    from ...compiler.program.weights import unread

    return unread(to_program(subject.spec), subject.weights or {})


def _by_ending(place: Path) -> str:
    for name, target in TARGETS.items():
        if place.suffix == target.ending:
            return name
    endings = one_of([target.ending for target in TARGETS.values()])
    raise fail("E506", f"`{place}` names no target", help=f"end it in {endings}, or give `--to`")


def _target(name: str) -> FileTarget:
    if name not in TARGETS:
        remedy = did_you_mean(name, TARGETS) or f"targets are {one_of(list(TARGETS))}"
        raise fail("E506", f"unknown target `{name}`", help=remedy)
    return TARGETS[name]


def _require_weights(subject: Subject, initial: bool) -> None:
    if subject.weights is None and not initial:
        remedy = "give `--weights FILE.safetensors`, or `--initial` to write it untrained"
        raise fail("E505", "the network has no weights", help=remedy)
    if subject.weights is not None and initial:
        raise fail("E506", "the network has weights", help="leave out `--initial`")


# What writes each kind of file


def _write_onnx(subject: Subject, draft: Path, **options: Unpack[OnnxOptions]) -> Mapping[str, Any]:
    from .onnx import OnnxDraft

    metadata = subject.run.metadata() if subject.run else {}
    return OnnxDraft(subject.spec, subject.weights, metadata, **options).write(draft)


def _write_torch(subject: Subject, draft: Path) -> Mapping[str, Any]:
    from ...compiler.targets.safetensors import safetensors_of

    weights = compile(subject.spec, "numpy", weights=subject.weights).weights
    draft.write_bytes(safetensors_of(subject.spec, weights))
    return {}


def _write_python(subject: Subject, draft: Path) -> Mapping[str, Any]:
    draft.write_text(compile(subject.spec, "python"), encoding="utf-8")
    return {}


def _write_pt2(subject: Subject, draft: Path) -> Mapping[str, Any]:
    from ...compiler.targets.torch.program import saved

    program = compile(subject.spec, "pt2", weights=subject.weights)
    draft.write_bytes(saved(program, str(subject.spec)))
    return {}


TARGETS: Mapping[str, FileTarget] = {
    "onnx": FileTarget(
        ONNX,
        _write_onnx,
        options=("weights", "initial", *OnnxOptions.__annotations__),
        beside=(".data", ".certificate.json"),
    ),
    "torch": FileTarget(SAFETENSORS, _write_torch),
    "python": FileTarget(".py", _write_python, options=()),
    "pt2": FileTarget(".pt2", _write_pt2),
}
