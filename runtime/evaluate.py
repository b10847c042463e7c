"""Evaluating and predicting with a trained network; the only place that reads the test split."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.check import checked, require_no_holes
from ..compiler.compile import compile
from ..compiler.diagnostics import fail
from ..compiler.load import load
from ..compiler.network import Network
from ..compiler.spec import Spec
from ..compiler.weights import Weights, read_weights
from .batches import Batches
from .data import TEST, Source, load_data, load_features
from .fitting import device_of, predict_all, score
from .run import RunFolder
from .settings import Settings

Model: TypeAlias = "str | PathLike[str] | Spec"


def evaluate(
    model: Model,
    data: Source,
    *,
    weights: Weights | str | PathLike[str] | None = None,
    settings: Settings | None = None,
    **options: Any,
) -> dict[str, float]:
    """The head's metrics on the test split, of a RUN folder or of a specification with weights.

    A run's own settings say how data without a `split` is split; `options` override them.
    """
    network, found, run_settings = _open(model, weights)
    settings = (settings or run_settings).with_options(**options)
    device = device_of(settings)
    samples = load_data(data, network, settings.split_seed)
    module = compile(network.spec, "torch", weights=found).to(device)
    test = Batches(samples, samples.indices(TEST), settings.batch, device)
    return score(module, test, network.head)


def predict(
    model: Model,
    data: Source,
    *,
    weights: Weights | str | PathLike[str] | None = None,
    settings: Settings | None = None,
    **options: Any,
) -> NDArray[Any]:
    """Logits (samples, K), float32, for every sample of the data, which needs no labels."""
    network, found, run_settings = _open(model, weights)
    settings = (settings or run_settings).with_options(**options)
    device = device_of(settings)
    samples = load_features(data, network)
    module = compile(network.spec, "torch", weights=found).to(device)
    batches = Batches(samples, np.arange(len(samples.labels)), settings.batch, device)
    logits: NDArray[Any] = predict_all(module, batches).numpy()
    return logits


def _open(
    model: Model, weights: Weights | str | PathLike[str] | None
) -> tuple[Network, Weights, Settings]:
    """The network, weights and settings that a model stands for; it has no holes."""
    if isinstance(model, Spec):
        spec, settings = model, Settings()
        if weights is None:
            message = "a specification needs weights to be evaluated"
            raise fail("E505", message, help="give `weights=…`, or a run folder")
    elif Path(model).is_dir():
        folder = RunFolder(Path(model))
        spec, settings = load(folder.require("genotype.fuse")), folder.settings("train")
        if weights is None:
            weights = folder.require("weights.safetensors")
    else:
        message = f"`{model}` is not a run folder"
        raise fail("E507", message, help="give the folder that `fusewright train --out` wrote")
    if isinstance(weights, (str, PathLike)):
        weights = read_weights(weights)
    network = checked(spec)
    require_no_holes(network)
    return network, weights, settings
