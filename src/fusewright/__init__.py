"""Fusewright: a declarative compiler for multimodal fusion architectures.

A specification with holes is a search space, one without is a network; both are the same
language, and both are loaded, drawn, compiled and trained by the functions here. Importing this
package imports none of torch, onnx, networkx and numpy; each function imports what it needs.
"""

from __future__ import annotations

from importlib import import_module
from sys import modules
from typing import TYPE_CHECKING, Any

from .compiler.system.display import Report, progress_shown_by, shown_by

if TYPE_CHECKING:
    __version__: str
    from .compiler.compile import compile
    from .compiler.diagnostics.diagnostic import DataWarning, Diagnostic, DiagnosticError
    from .compiler.documents.spellings import loads
    from .compiler.draw import draw
    from .compiler.graph.build import Graph
    from .compiler.graph.write import specification as spec
    from .compiler.language.spec import Spec, network
    from .compiler.load import load
    from .compiler.tools.difference import diff
    from .compiler.views import check, graph
    from .runtime.backbones.inspect import inspect
    from .runtime.backbones.options import BackboneOptions
    from .runtime.data.new import new
    from .runtime.deploy.deploy import deploy
    from .runtime.estimators.estimators import (
        FusionClassifier,
        FusionMultilabel,
        FusionRegressor,
    )
    from .runtime.extract.extract import extract
    from .runtime.predict.evaluate import evaluate, predict
    from .runtime.predict.robustness import robustness
    from .runtime.report.build import report
    from .runtime.runs.read import read_run
    from .runtime.search.consensus import consensus
    from .runtime.search.search import search
    from .runtime.settings import Settings
    from .runtime.training.train import train

_HOMES = {
    "BackboneOptions": "runtime.backbones.options",
    "FusionClassifier": "runtime.estimators.estimators",
    "FusionMultilabel": "runtime.estimators.estimators",
    "FusionRegressor": "runtime.estimators.estimators",
    "Graph": "compiler.graph.build",
    "DataWarning": "compiler.diagnostics.diagnostic",
    "Diagnostic": "compiler.diagnostics.diagnostic",
    "DiagnosticError": "compiler.diagnostics.diagnostic",
    "Settings": "runtime.settings",
    "Spec": "compiler.language.spec",
    "check": "compiler.views",
    "compile": "compiler.compile",
    "consensus": "runtime.search.consensus",
    "deploy": "runtime.deploy.deploy",
    "diff": "compiler.tools.difference",
    "draw": "compiler.draw",
    "evaluate": "runtime.predict.evaluate",
    "extract": "runtime.extract.extract",
    "graph": "compiler.views",
    "inspect": "runtime.backbones.inspect",
    "load": "compiler.load",
    "loads": "compiler.load",
    "network": "compiler.language.spec",
    "new": "runtime.data.new",
    "predict": "runtime.predict.evaluate",
    "read_run": "runtime.runs.read",
    "report": "runtime.report.build",
    "robustness": "runtime.predict.robustness",
    "search": "runtime.search.search",
    "spec": "compiler.graph.write:specification",
    "train": "runtime.training.train",
}
"""The module of each name, and behind a colon what it is called there."""
__all__ = [
    "BackboneOptions",
    "DataWarning",
    "Diagnostic",
    "DiagnosticError",
    "FusionClassifier",
    "FusionMultilabel",
    "FusionRegressor",
    "Graph",
    "Settings",
    "Spec",
    "__version__",
    "check",
    "compile",
    "consensus",
    "deploy",
    "diff",
    "draw",
    "evaluate",
    "extract",
    "graph",
    "inspect",
    "load",
    "loads",
    "network",
    "new",
    "predict",
    "read_run",
    "report",
    "robustness",
    "search",
    "spec",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module(".compiler.system.provenance", __name__).own_version()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home, _, own = _HOMES[name].partition(":")
    return getattr(import_module(f".{home}", __name__), own or name)


def _bundle(shown: object) -> dict[str, str]:
    bundle: dict[str, str] = import_module(".notebook", __name__).bundle(shown)
    return bundle


shown_by(_bundle)


def _report(what: str, total: int | None) -> Report | None:
    """A bar where a notebook's kernel runs, which is found out without importing anything."""
    shell = getattr(modules.get("IPython"), "get_ipython", lambda: None)()
    if not hasattr(shell, "kernel"):
        return None
    report: Report = import_module(".notebook", __name__).report(what, total)
    return report


progress_shown_by(_report)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
