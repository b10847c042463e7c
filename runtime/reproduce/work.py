"""Running one row with one seed: its network is searched or made, trained, and measured on test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.compile import to_program
from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.documents.spellings import loads
from ...compiler.language.spec import Spec
from ...compiler.measure.sizes import count_macs, count_parameters
from ...compiler.passes import optimise
from ..backbones.options import BackboneOptions
from ..metrics import selection_metric
from ..predict.comparison import scored
from ..predict.evaluate import predict
from ..search.loop import SearchResult
from ..search.search import search
from ..settings import Settings
from ..training.objective import shares_of
from ..training.train import train
from .paper import Alone, Late, NotHere, OtherFeatures, OtherSteps, Searched, System, Way
from .rows import Done, Rows
from .sets import METHODS, Material, digest_of, features_for
from .systems import FUSED, fixed, other_features, other_steps, random_seed, used

SEARCHES = "searches"
FATAL = ("E504", "E507", "E510", "E513")
"""What no other row could do better: files that cannot be used, and being stopped."""
Told = Callable[[str], None]
"""Receives what is being done."""


@dataclass(frozen=True)
class Worker:
    """Runs rows, and keeps them in a folder; what is there already is not run again.

    `options` are settings that every search and training has, such as `device` and `threads`.
    """

    rows: Rows
    told: Told
    options: dict[str, Any]
    backbones: BackboneOptions

    def run(self, way: Way, material: Material, seed: int) -> Done:
        """A way with a seed; raises DiagnosticError where it cannot be run."""
        key = key_of(way, material, seed)
        if key in self.rows.done:
            return self.rows.done[key]
        self.told(f"{told_of(way)} on {material.title}, seed {seed}")
        started = perf_counter()
        found: SearchResult | None = None
        if isinstance(way, Searched):
            found = self._searched(way, material, key, seed)
            genotype = found.genotype
        else:
            genotype = self._made(way, material, seed)
        settings = material.training.with_options(seed=seed, **self.options)
        features = material.features
        if isinstance(way, System):
            genotype = used(genotype)
            features = features_for(material, genotype, way.name, self.backbones)
        trained = train(genotype, features, settings=settings)
        logits = predict(genotype, features, weights=trained.weights, settings=settings)
        outputs = _shares(genotype, logits[material.test])
        head = checked(genotype).head
        labels = material.dataset.labels[material.test]
        score = float(scored(head.kind, outputs[None].astype(np.float64), labels).metrics[0])
        one = Done(
            key=key,
            row=told_of(way, genotype),
            data=material.title,
            seed=seed,
            genotype=str(genotype),
            score=score,
            parameters=count_parameters(to_program(genotype)),
            macs=count_macs(optimise(to_program(genotype), "inference")),
            seconds=perf_counter() - started,
            outputs="",
            **_of_search(found),
        )
        return self.rows.add(one, outputs)

    def _made(self, way: Way, material: Material, seed: int) -> Spec:
        match way:
            case Alone() | Late() | System():
                return fixed(way, material.space)
            case OtherSteps(_, steps):
                return other_steps(self._found(material, seed), steps)
            case OtherFeatures():
                return other_features(
                    material.space, self._found(material, seed), random_seed(seed)
                )
            case Searched() | NotHere():
                raise AssertionError(f"{way} makes no network")

    def _found(self, material: Material, seed: int) -> Spec:
        """What BM-NAS finds with a seed."""
        return loads(self.run(Searched(), material, seed).genotype)

    def _searched(self, way: Searched, material: Material, key: str, seed: int) -> SearchResult:
        space, settings = search_of(way, material)
        folder = self.rows.folder / SEARCHES / key
        settings = settings.with_options(seed=seed, **self.options)
        try:
            return search(space, material.features, out=folder, settings=settings, resume=True)
        except DiagnosticError as error:
            first = error.diagnostics[0]
            if first.code != "E510":
                raise
            remedy = "run the same command again, which goes on"
            raise fail("E510", first.message, help=remedy) from None


def _shares(genotype: Spec, logits: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities, or values, (samples, K)."""
    import torch

    return np.asarray(shares_of(checked(genotype).head, torch.from_numpy(logits)), np.float32)


def _of_search(found: SearchResult | None) -> dict[str, Any]:
    """What a row keeps of its search."""
    if found is None:
        return {}
    assert found.space.predict is not None
    metric = selection_metric(found.space.predict.kind)
    curve = tuple(float(r[metric]) for r in found.history if r.get(metric) is not None)
    return {
        "weight_steps": float(found.cost["weight_steps"]),
        "search_seconds": float(found.cost["seconds"]),
        "search_score": found.history[found.best_round - 1].get(metric),
        "curve": curve,
    }


def search_of(way: Searched, material: Material) -> tuple[Spec, Settings]:
    """The space of a search, and its settings."""
    space, settings = material.configured(way.configuration)
    return space, settings.with_options(**METHODS[way.method])


def key_of(way: Way, material: Material, seed: int) -> str:
    """A short name for all that a row depends on."""
    space, search = (str(material.space), "")
    if isinstance(way, Searched):
        own, settings = search_of(way, material)
        space, search = str(own), settings.to_toml()
    elif isinstance(way, System):
        space = str(fixed(way, material.space))
    elif isinstance(way, OtherSteps | OtherFeatures):
        search = key_of(Searched(), material, seed)
    training = material.training.to_toml()
    return digest_of(repr(way), space, search, training, material.digest, str(seed))


def told_of(way: Way, network: Spec | None = None) -> str:
    """What a way is called; the `network` that it made shows what stands for a system."""
    match way:
        case System(_, step) if network and any(cell.name == FUSED for cell in network.cells):
            return f"{step.partition('(')[0]} over the last features"
        case Alone(modality):
            return f"modality {modality + 1} alone"
        case Late():
            return "late fusion"
        case System(name):
            return name.replace("_", " ")
        case Searched(method, configuration):
            return f"{method} {configuration}".strip()
        case OtherSteps(name):
            return f"features of BM-NAS, {name}"
        case OtherFeatures():
            return "Steps of BM-NAS, random features"
        case NotHere(why):
            return why
