"""scikit-learn's own checks of estimators: which pass, and why others do not apply.

`docs/estimators.md` says so; `python -m tests.runtime.estimators.test_checks` writes it there.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from sklearn.utils.estimator_checks import check_estimator

import fusewright as fw

from ...support.paths import DOCS

PAGE = DOCS / "estimators.md"
BEGIN, END = "<!-- begin checks -->\n", "<!-- end checks -->\n"
SHORT: dict[str, Any] = {"epochs": 6, "batch": 32, "threads": 1, "max_learning_rate": 0.05}
ROUNDING = "float32 sums of other batches differ in the last digit, and it allows 1e-7"
COLUMNS = "it gives one class for each sample, and labels are columns of 0 and 1"
MULTILABEL = """
check_fit_score_takes_y check_estimators_overwrite_params check_dont_overwrite_parameters
check_estimators_fit_returns_self check_readonly_memmap_input check_n_features_in_after_fitting
check_positive_only_tag_during_fit check_estimators_dtypes check_dtype_object
check_pipeline_consistency check_estimators_nan_inf check_estimators_pickle
check_f_contiguous_array_estimator check_classifier_data_not_an_array check_classifiers_classes
check_classifiers_train check_supervised_y_2d check_classifier_not_supporting_multiclass
check_methods_sample_order_invariance check_methods_subset_invariance check_fit2d_1feature
check_dict_unchanged check_fit_idempotent check_fit_check_is_fitted check_n_features_in
check_fit2d_predict1d
""".split()
INAPPLICABLE: Mapping[str, Mapping[str, str]] = {
    "FusionClassifier": {"check_methods_subset_invariance": ROUNDING},
    "FusionRegressor": {"check_methods_subset_invariance": ROUNDING},
    "FusionMultilabel": dict.fromkeys(MULTILABEL, COLUMNS),
}
"""The checks that do not apply to each estimator, and why."""
SKIPPED: Mapping[str, str] = {
    "check_array_api_input": "scipy's array API is not switched on",
    "check_classifiers_multilabel_output_format_decision_function": "there is no decision function",
}
"""What scikit-learn leaves out itself."""


class Small:
    """Trains a small network for one array, without holes, where nothing is said."""

    def _space(self, arrays: dict[str, Any], predicted: str) -> fw.Spec:
        text = f"X[c {arrays['X'].shape[1]}]"
        spec = fw.network("n", C=8, L=1).with_modality("m", text)
        return spec.with_output("X").with_head(predicted)


class SmallClassifier(Small, fw.FusionClassifier):
    pass


class SmallRegressor(Small, fw.FusionRegressor):
    pass


class SmallMultilabel(Small, fw.FusionMultilabel):
    pass


KINDS: Mapping[str, type[Any]] = {
    "FusionClassifier": SmallClassifier,
    "FusionRegressor": SmallRegressor,
    "FusionMultilabel": SmallMultilabel,
}


@cache
def statuses(kind: str) -> Mapping[str, str]:
    """How each check of an estimator ends: the worst, where it is made for several data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results: Any = check_estimator(
            KINDS[kind](**SHORT),
            expected_failed_checks=dict(INAPPLICABLE[kind]),
            on_skip=None,
            on_fail=None,
        )
    worst = ("passed", "skipped", "xfail", "failed")
    found: dict[str, str] = {}
    for result in results:
        known = found.get(result["check_name"], "passed")
        found[result["check_name"]] = max(known, result["status"], key=worst.index)
    return found


def table() -> str:
    """The checks of every estimator, as the page has them."""
    lines = ["| check | " + " | ".join(KINDS) + " |", "|---|" + "---|" * len(KINDS)]
    notes = list(dict.fromkeys([*SKIPPED.values(), ROUNDING, COLUMNS]))
    for check in sorted({name for kind in KINDS for name in statuses(kind)}):
        cells = []
        for kind in KINDS:
            status = statuses(kind).get(check)
            reason = INAPPLICABLE[kind].get(check) or SKIPPED.get(check)
            applies = "yes" if status == "passed" and reason != ROUNDING else ""
            cells.append(applies or (f"[{notes.index(reason) + 1}]" if reason and status else "—"))
        lines.append(f"| `{check}` | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"- [{n}]: {note}." for n, note in enumerate(notes, 1)), ""])


def test_checks_pass_but_for_those_that_do_not_apply_as_the_page_says() -> None:
    for kind, reasons in INAPPLICABLE.items():
        found = statuses(kind)
        assert [name for name, status in found.items() if status == "failed"] == []
        assert {name for name, status in found.items() if status == "skipped"} <= {*SKIPPED}
        passed = {name for name, status in found.items() if status == "passed"}
        assert passed & {*reasons} <= {name for name, why in reasons.items() if why == ROUNDING}
        assert len(passed) >= 28
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == table()


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
