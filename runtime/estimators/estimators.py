"""`FusionClassifier`, `FusionRegressor`, `FusionMultilabel`: a search and a training, as
scikit-learn fits and predicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter, Signature
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ...compiler.language.nodes import name_problem
from ...compiler.language.spec import Spec
from ...compiler.load import Given, spec_of
from ...compiler.network.names import LABELS
from ...compiler.targets.numpy.network import probabilities_of
from ..data.several import require_one_head
from ..data.split import SPLIT, parted
from ..extras import needed
from ..predict.evaluate import predict
from ..runs.beside import of_a_genotype
from ..search.loop import SearchResult
from ..search.search import search
from ..settings import Settings
from ..training.own_functions import OWN, functions_in
from ..training.train import TrainResult, train
from .inputs import ALONE, Columns, feature_names, named_arrays, space_of

needed("sklearn", "torch")
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # noqa: E402  (see above)
from sklearn.utils import validation  # noqa: E402
from sklearn.utils.multiclass import check_classification_targets  # noqa: E402

_CHECKS: Any = validation  # it has no types
LEAST = 2
"""Samples that are learned from: one, and one to choose by."""


def _signature(init: Callable[..., None]) -> Callable[..., None]:
    """Names every setting as a parameter, by which scikit-learn gets and sets them."""
    settings = [Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default) for f in _SETTINGS]
    own = [
        Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
        Parameter("spec", Parameter.POSITIONAL_OR_KEYWORD, default=None),
        Parameter("columns", Parameter.KEYWORD_ONLY, default=None),
    ]
    init.__dict__["__signature__"] = Signature([*own, *settings])
    return init


_SETTINGS = fields(Settings)


class FusionEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the estimators share.

    `X` is a dict of named arrays (samples, axes…); a frame, of which `columns` says what each
    feature is, `{"image": ["i0", "i1"], "text": ["t0"]}`; or one array (samples, channels). `spec`
    is a Spec, a file, a text or a Graph, and is derived from the data where it is None. What has
    holes is searched, and what is found is trained on all samples; other parameters are those of
    `Settings`, of which `loss` may be a function of one's own, as in `fw.train`.

    After `fit`, `spec_` is the network that was trained, `trained_` what the training gave, which
    `fw.evaluate` and `fw.deploy` take, and `found_` what the search found, if there was one.
    """

    @_signature
    def __init__(
        self, spec: Given | None = None, *, columns: Columns | None = None, **settings: Any
    ) -> None:
        self.spec = spec
        self.columns = columns
        for item in _SETTINGS:
            setattr(self, item.name, settings.pop(item.name, item.default))
        for name in settings:
            known = [item.name for item in _SETTINGS]
            remedy = did_you_mean(name, known) or f"there are {one_of(known)}"
            raise fail("E506", f"there is no setting `{name}`", help=remedy)

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803  (scikit-learn calls it so)
        """Searches where there are holes, and trains; `y` may stand in X as `labels`.

        An array `split` or `groups` of X says what candidates of a search are scored by; without,
        it is a fifth of the samples. Raises ValueError, DiagnosticError among them, where the data
        or the settings cannot be used.
        """
        given = {item.name: getattr(self, item.name) for item in _SETTINGS}
        own = {name: given[name] for name in OWN if not isinstance(given[name], str)}
        settings = Settings(**functions_in(given)[1])
        arrays, targets = self._read_both(X, y)
        labels, predicted = self._targets(targets)
        spec = self._space(arrays, predicted) if self.spec is None else spec_of(self.spec)
        require_one_head(checked(spec).head, "an estimator")
        network = checked(spec)
        if not {SPLIT, "groups"} & {*arrays}:
            arrays[SPLIT] = parted(labels, settings.split_seed)
        arrays = self._called(arrays, [f.name for f in network.features])
        arrays[LABELS] = labels
        found = search(spec, arrays, settings=settings, **own) if network.has_holes else None
        self.found_: SearchResult | None = found
        chosen = settings
        if found is not None and found.training is not None:
            chosen = settings.with_options(**of_a_genotype(found.training))
        if found is not None and not chosen.patience:  # the search has recorded the metrics
            chosen = chosen.usual(("metrics",))
            own.pop("metrics", None)
        self.trained_: TrainResult = train(found or spec, arrays, settings=chosen, **own)
        self.spec_ = self.trained_.genotype
        return self

    # What is read

    def _read_both(self, X: Any, y: Any) -> tuple[dict[str, Any], Any]:  # noqa: N803
        """Arrays by name and the targets; raises ValueError where they cannot be used."""
        arrays = named_arrays(X, self.columns)
        if arrays is None:
            checked_x, checked_y = _CHECKS.validate_data(
                self,
                X,
                y,
                allow_nd=self.spec is not None,
                multi_output=True,
                ensure_min_samples=LEAST,
            )
            return {ALONE: checked_x.astype(np.float32)}, checked_y
        targets = arrays.pop(LABELS, None) if y is None else y
        arrays.pop(LABELS, None)
        if targets is None:
            raise fail("E501", "there is no `y`", help="give it, or an array `labels` in X")
        names = feature_names(arrays)
        self.n_features_in_ = len(names)
        self.feature_names_in_ = np.array(names, dtype=object)
        return arrays, _CHECKS.check_array(targets, ensure_2d=False, dtype=None)

    def _read(self, X: Any) -> dict[str, Any]:  # noqa: N803
        """Arrays by name, as they were fitted; raises ValueError where they cannot be used."""
        _CHECKS.check_is_fitted(self)
        arrays = named_arrays(X, self.columns)
        if arrays is None:
            checked_x = _CHECKS.validate_data(self, X, reset=False, allow_nd=self.spec is not None)
            arrays = {ALONE: checked_x.astype(np.float32)}
        network = checked(self.spec_)
        return self._called(arrays, [feature.name for feature in network.features])

    def _called(self, arrays: dict[str, Any], features: list[str]) -> dict[str, Any]:
        """Arrays of which the only one has the name of the only feature."""
        if ALONE in arrays and len(features) == 1:
            return {**{k: v for k, v in arrays.items() if k != ALONE}, features[0]: arrays[ALONE]}
        return arrays

    def _space(self, arrays: dict[str, Any], predicted: str) -> Spec:
        """What is searched where nothing is said."""
        return space_of(arrays, predicted)

    def _targets(self, y: Any) -> tuple[NDArray[Any], str]:
        """What is learned, (samples,) or (samples, K), and what is predicted, as `3 classes`."""
        raise NotImplementedError

    def _outputs(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """What the network gives for every sample, (samples, K), float64."""
        arrays = self._read(X)
        return predict(self.trained_, arrays).astype(np.float64)


class FusionClassifier(ClassifierMixin, FusionEstimator):  # type: ignore[misc]
    """A multimodal classifier by scikit-learn's conventions; `y` are numbers or names of classes.

    `classes_` are they, sorted. See `FusionEstimator` for what it is fitted on.
    """

    def _targets(self, y: Any) -> tuple[NDArray[Any], str]:
        check_classification_targets(y)
        y = _CHECKS.column_or_1d(y, warn=True)
        self.classes_, places = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            message = f"y has one class alone, `{self.classes_[0]}`"
            raise fail("E503", message, help="give samples of two classes or more")
        names = np.array([str(one) for one in self.classes_])
        if len(set(names)) < len(names) or any(map(name_problem, names)):
            return places, f"{len(names)} classes"
        return names[places], f"{len(names)} classes"

    def predict_proba(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """How probable each class is, (samples, classes), in the order of `classes_`."""
        outputs = self._outputs(X)
        head = checked(self.spec_).head
        shares, names = probabilities_of(outputs, head), head.names
        if names is None:
            return shares
        return shares[:, [names.index(str(one)) for one in self.classes_]]

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The most probable class of each sample, (samples,)."""
        shares = self.predict_proba(X)
        predicted: NDArray[Any] = self.classes_[shares.argmax(1)]
        return predicted


class FusionRegressor(RegressorMixin, FusionEstimator):  # type: ignore[misc]
    """A multimodal regressor by scikit-learn's conventions; `y` are (samples,) or (samples, K).

    See `FusionEstimator` for what it is fitted on.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _targets(self, y: Any) -> tuple[NDArray[Any], str]:
        values: NDArray[Any] = _CHECKS.check_array(y, ensure_2d=False, dtype=np.float64)
        self._is_single = values.ndim == 1
        values = values.reshape(len(values), -1).astype(np.float32)
        return values, f"{values.shape[1]} values"

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """What is predicted of each sample, in the shape that `y` had."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._is_single else outputs


class FusionMultilabel(ClassifierMixin, FusionEstimator):  # type: ignore[misc]
    """A multimodal classifier of any of K labels; `y` are (samples, K) of 0 and 1.

    See `FusionEstimator` for what it is fitted on. The score is the share of samples of which every
    label is right, as of scikit-learn's multilabel classifiers.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        tags.target_tags.two_d_labels = True
        return tags

    def _targets(self, y: Any) -> tuple[NDArray[Any], str]:
        check_classification_targets(y)
        labels: NDArray[Any] = _CHECKS.check_array(y, ensure_2d=False, dtype=None)
        if labels.ndim != 2 or not np.isin(labels, (0, 1)).all():
            message = f"y is {labels.shape} of {labels.dtype}, not (samples, labels) of 0 and 1"
            raise fail("E503", message, help="use `FusionClassifier` where each has one class")
        self.classes_ = np.arange(labels.shape[1])
        return labels.astype(np.float32), f"{labels.shape[1]} labels"

    def predict_proba(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """How probable each label is, (samples, K)."""
        outputs = self._outputs(X)
        return probabilities_of(outputs, checked(self.spec_).head)

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The labels that are more probable than not, (samples, K) of 0 and 1.

        That is scikit-learn's convention; metrics count a label above `LABEL_THRESHOLD`.
        """
        return (self.predict_proba(X) > 0.5).astype(np.int64)
