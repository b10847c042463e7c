"""CUDA against the CPU: the same numbers, gradients and steps, where there is a GPU.

`make test-cuda` runs these; without a GPU they are skipped, and say so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.batches import Batch, Batches
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.objective import Objective
from fusewright.runtime.training.optimisers import ArchitectureOptimiser, WeightOptimiser
from fusewright.runtime.training.prepare import prepare

from ..support.running import FIXED, problem, spec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
CUDA, CPU = torch.device("cuda"), torch.device("cpu")
DATA = problem()


def without_dropout(text: str) -> fw.Spec:
    return fw.loads(text.replace("dropout = 0.1", "dropout = 0"))


def one_step(device: torch.device, settings: Settings) -> dict[str, NDArray[Any]]:
    """The state of a hypernet after a weight step and an architecture step, without dropout."""
    network = checked(without_dropout(str(spec())))
    module, data = prepare(network, load_data(DATA, network), settings, device)
    weights = WeightOptimiser(module, settings, 10)
    architecture = ArchitectureOptimiser(module, settings)
    features = {n: torch.from_numpy(a).to(device) for n, a in data.features.items()}
    batch = Batch(features, torch.from_numpy(data.labels).to(device))
    module.train()
    for optimiser in (weights, architecture):
        with optimiser.stepping():
            optimiser.step(optimiser.loss(Objective(network.head), batch))
    return module.arrays()


def test_a_network_gives_what_it_gives_on_the_cpu() -> None:
    network = spec(FIXED)
    features = {n: torch.from_numpy(a) for n, a in DATA.items() if n in "ABD"}
    module = fw.compile(network, "torch").eval()
    with torch.no_grad():
        expected = module(features)
        found = module.to(CUDA)({n: f.to(CUDA) for n, f in features.items()}).cpu()
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:.*jit:DeprecationWarning")
@pytest.mark.parametrize("compiled", [False, True])
def test_both_steps_move_as_on_the_cpu(compiled: bool) -> None:
    expected = one_step(CPU, Settings())
    found = one_step(CUDA, Settings(device="cuda", compile=compiled))
    for name, array in expected.items():
        assert np.allclose(found[name], array, rtol=1e-3, atol=3e-3), name


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_sixteen_bits_learn(precision: str) -> None:
    settings = Settings(device="cuda", precision=precision, epochs=4, batch=16)
    history = fw.train(spec(FIXED), DATA, settings=settings).history
    assert history[-1]["train_loss"] < history[0]["train_loss"]


@pytest.mark.parametrize("strategy", ["darts", "halving"])
def test_a_search_runs_and_its_genotype_does(strategy: str) -> None:
    settings = Settings(
        device="cuda", strategy=strategy, epochs=3, batch=16, candidates=4, trial_epochs=3
    )
    found = fw.search(spec(), DATA, settings=settings)
    trained = fw.train(found.genotype, DATA, settings=settings)
    metrics = fw.evaluate(found.genotype, DATA, weights=trained.weights, device="cuda")
    assert 0 <= metrics["accuracy"] <= 1


@pytest.mark.parametrize("resident", [True, False])
def test_a_pass_does_not_synchronise(resident: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch raises where the host waits for the device: in drawing batches, or in steps."""
    network = checked(spec())
    module, data = prepare(network, load_data(DATA, network), Settings(device="cuda"), CUDA)
    weights = WeightOptimiser(module, Settings(device="cuda"), 10)
    monkeypatch.setattr("fusewright.runtime.data.batches.fits", lambda size, device: resident)
    batches = Batches(data, np.arange(90), 30, CUDA)
    module.train()

    def steps() -> None:
        with weights.stepping():
            for batch in batches.shuffled(0):
                weights.step(weights.loss(Objective(network.head), batch))

    steps()
    torch.cuda.set_sync_debug_mode("error")
    try:
        steps()
        assert len(list(batches.in_order())) == 3
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.filterwarnings("ignore:.*jit:DeprecationWarning")
def test_compiled_steps_run_as_cuda_graphs() -> None:
    """Nothing makes torch skip them: running statistics are known to stay where they are."""
    from torch._dynamo.utils import counters

    torch.compiler.reset()
    counters.clear()
    one_step(CUDA, Settings(device="cuda", compile=True))
    assert not counters["inductor"]["cudagraph_skips"]


def test_features_that_do_not_fit_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    network = checked(spec(FIXED))
    _, data = prepare(network, load_data(DATA, network), Settings(), CPU)
    resident = Batches(data, np.arange(90), 32, CUDA)
    monkeypatch.setattr("fusewright.runtime.data.batches.fits", lambda size, device: False)
    streamed = Batches(data, np.arange(90), 32, CUDA)
    assert (resident.resident, streamed.resident) == (True, False)
    for a, b in zip(resident.in_order(), streamed.in_order(), strict=True):
        assert torch.equal(a.labels, b.labels)
        assert all(torch.equal(f, b.features[n]) for n, f in a.features.items())
