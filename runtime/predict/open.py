"""What gives outputs for samples: a trained network through torch, or an ONNX file.

NOTE: an ONNX file is run without torch, which each kind imports for itself.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ...compiler.check.check import checked, require_no_holes
from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.language.spec import Spec
from ...compiler.load import is_specification, is_text, load, spec_of
from ...compiler.program.weights import Weights, WeightSource
from ...compiler.system.files import is_folder, is_there
from ...compiler.targets.ensemble import EnsembleSubject
from ...compiler.targets.onnx.target import ONNX
from ...compiler.targets.target import Subject, target_of
from ..backbones.options import BackboneOptions
from ..data.dataset import Dataset, names_read
from ..data.files import Source
from ..data.identity import DataIdentity, stated_identity
from ..progress import Progress
from ..runs.ensemble import read_ensemble
from ..runs.files import read_kind
from ..runs.folder import RunFolder
from ..runs.metadata import settings_of, trained_with_of
from ..runs.names import GENOTYPE, WEIGHTS, about_file, settings_file
from ..runs.weights import weights_from
from ..settings import Settings
from .features import read_features
from .predictor import SECONDS, Predictor

if TYPE_CHECKING:
    from ...compiler.graph.build import AnyGraph
    from ...compiler.targets.onnx.file import OnnxFile


class Trained(Protocol):
    """What a training gives: a network with its weights, and the settings that it had."""

    @property
    def genotype(self) -> Spec: ...
    @property
    def weights(self) -> Weights: ...
    @property
    def settings(self) -> Settings: ...


Model: TypeAlias = "str | PathLike[str] | Spec | AnyGraph | Trained"
"""A run folder, an ONNX file, what was trained, or what says a specification, with its weights."""


def open_predictor(
    model: Model,
    weights: WeightSource | None = None,
    *,
    joint: bool = False,
    seconds: int = SECONDS,
    backbones: BackboneOptions | None = None,
) -> Predictor:
    """The network that a model stands for; it has no holes.

    With its backbones it is `joint`: an ONNX file, which may then run for `seconds`, or a run,
    whose `backbones` are opened with these options. Raises DiagnosticError where it cannot be read,
    has no weights, or has its own beside `weights`.
    """
    given, model = model, named(model)
    if joint:
        return _with_backbones(model, weights, seconds, backbones or BackboneOptions())
    if not isinstance(model, (str, PathLike, Spec)):
        subject, known = trained_subject(model, weights), getattr(model, "identities", {})
        return _in_torch(subject, model.settings, None, known if weights is None else {})
    if isinstance(model, Spec):
        if weights is None and isinstance(given, (str, PathLike)) and not is_text(given):
            raise _no_model(given)
        if weights is None:
            message = "a specification needs weights to be evaluated"
            raise fail("E505", message, help="give `weights=…`, or a run folder")
        return _in_torch(with_weights(model, weights), Settings())
    if is_folder(model):
        folder = RunFolder(Path(model))
        subject, settings = open_run(folder, weights), folder.settings("train")
        if weights is not None:
            return _in_torch(subject, settings)
        return _in_torch(subject, settings, data_learned_by(folder), folder.trained_with())
    if target_of(model) is not ONNX:
        raise _no_model(model)
    if weights is not None:
        raise fail("E506", "an ONNX file has weights of its own", help="leave out `weights`")
    from ...compiler.targets.onnx.file import OnnxFile

    file = OnnxFile(model)
    settings = settings_of(file.metadata)
    return OnnxPredictor(file, settings)


def _no_model(path: str | PathLike[str]) -> DiagnosticError:
    message = f"`{path}` is neither a run folder nor an ONNX file"
    return fail("E507", message, help="give the folder that `fusewright train --out` wrote")


def named(model: Model) -> str | PathLike[str] | Spec | Trained:
    """What says a specification as that, a run that was read as its folder; others as they are."""
    if is_specification(model):
        return spec_of(cast("Spec", model))
    path = getattr(model, "path", None)
    return path if isinstance(path, Path) else cast("Trained", model)


def trained_subject(model: Trained, weights: WeightSource | None) -> Subject:
    """The network of what a training gave, with other weights if they are given.

    Raises DiagnosticError where it is something else.
    """
    _require_trained(model)
    return with_weights(model.genotype, model.weights if weights is None else weights)


def _require_trained(model: object) -> None:
    """Raises DiagnosticError unless something has what a training gives."""
    if hasattr(model, "best_round"):
        message = "what a search found is not trained yet"
        raise fail("E505", message, help="train it: `fw.train(found, data)`")
    if not (isinstance(getattr(model, "genotype", None), Spec) and hasattr(model, "weights")):
        message = f"a trained network is expected, and not a `{type(model).__name__}`"
        raise fail("E506", message, help="give a run folder, an ONNX file, or what `train` gave")


def _with_backbones(
    model: Model, weights: WeightSource | None, seconds: int, options: BackboneOptions
) -> Predictor:
    message = "a run or an ONNX file has backbones, and weights of its own"
    remedy = "give a run, or what `fusewright compile --joint` wrote"
    if not isinstance(model, (str, PathLike)) or weights is not None:
        raise fail("E506", message, help=remedy)
    if is_folder(model):
        from .raw import RawPredictor

        folder = RunFolder(Path(model))
        subject, settings = open_run(folder, None), folder.settings("train")
        return RawPredictor(subject, settings, folder, options, data_learned_by(folder))
    if target_of(model) is not ONNX:
        raise fail("E506", message, help=remedy)
    from .apart import JointPredictor

    return JointPredictor(model, seconds)


def open_run(folder: RunFolder, weights: WeightSource | None) -> Subject:
    """The network of a run, or its ensemble, with other weights if they are given.

    Raises DiagnosticError where it, its weights and its settings are not of one training.
    """
    if folder.holds_ensemble:
        ensemble = read_ensemble(folder.path)
        return EnsembleSubject.of(ensemble, _weights(folder, weights))
    return with_weights(load(folder.require(GENOTYPE)), _weights(folder, weights))


def _weights(folder: RunFolder, weights: WeightSource | None) -> Weights:
    if weights is not None:
        return weights_from(weights)
    own = weights_from(folder.require(WEIGHTS))
    folder.settings("train")
    folder.require_own("train", settings_file("train"))
    return own


def with_weights(spec: Spec, weights: WeightSource | None) -> Subject:
    """A checked network with its weights, read; raises DiagnosticError for holes too."""
    network = checked(spec)
    arrays = weights_from(weights) if weights is not None else None
    require_no_holes(network)
    return Subject(network, arrays)


def data_learned_by(folder: RunFolder) -> DataIdentity | None:
    """The data that a run was trained on, where it says so."""
    record = folder.path / about_file("train")
    return stated_identity(read_kind(record).get("data")) if is_there(record) else None


def _in_torch(subject: Subject, settings: Settings, *known: Any) -> Predictor:
    from .torch import TorchPredictor

    return TorchPredictor(subject, settings, *known)


class OnnxPredictor:
    """An ONNX file that Fusewright wrote, run by ONNX Runtime on the CPU."""

    def __init__(self, file: OnnxFile, settings: Settings) -> None:
        self.file, self.settings = file, settings
        self.learned: DataIdentity | None = None
        self.backbones = trained_with_of(file.metadata)
        self.network, self.output = file.subject.network, file.output
        self.program, self.names = file.subject.program, names_read(self.network)

    def read(self, data: Source, settings: Settings, *, labelled: bool) -> Dataset:
        return read_features(self, data, settings, labelled=labelled)

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        from ...compiler.targets.onnx.session import run, session_of

        if settings.device != "cpu":
            message = f"an ONNX file is not run on `{settings.device}`"
            raise fail("E506", message, help="leave out `--device`")
        most = min(settings.at_once, len(samples))
        self.file.require_bounded({n: (most, *a.shape[1:]) for n, a in data.features.items()})
        session = session_of(self.file.path)
        batches = []
        for start in range(0, len(samples), settings.at_once):
            chosen = samples[start : start + settings.at_once]
            batches.append(run(session, {name: a[chosen] for name, a in data.features.items()}))
            progress(start + len(chosen), len(samples))
        return np.concatenate(batches)
