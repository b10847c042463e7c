"""The features that a network reads, out of data, for those who predict with it."""

from __future__ import annotations

from collections.abc import Mapping

from ..data.checks import data_warnings, warn
from ..data.dataset import Dataset, load_data, load_features
from ..data.files import Source, arrays_of
from ..data.presence import lacking_warnings, lacking_whole, without
from ..data.rows import Rows
from ..settings import Settings
from .predictor import Predictor, require_readable


def read_features(
    predictor: Predictor, data: Source, settings: Settings, *, labelled: bool
) -> Dataset:
    """The samples of data as `Predictor.read` gives them, of a network that reads features."""
    require_readable(predictor, data, settings)
    arrays, network = _completed(data, predictor), predictor.network
    if not labelled:
        return load_features(arrays, network, settings.memory)
    samples = load_data(arrays, network, settings.split_seed, settings.memory)
    warn(data_warnings(samples, network))
    return samples


def _completed(data: Source, predictor: Predictor) -> Mapping[str, Rows]:
    """The arrays; no sample has an optional modality that they have nothing of, with a warning."""
    arrays, network = arrays_of(data), predictor.network
    lacking = lacking_whole(arrays, network)
    warn(lacking_warnings(arrays, network, lacking))
    return without(arrays, network, lacking)
