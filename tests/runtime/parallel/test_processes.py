"""Two processes compute what one does, and agree on the genotype."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.batches import Batches
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.split import TRAIN
from fusewright.runtime.parallel.processes import count, join, rank
from fusewright.runtime.training.objective import Objective
from fusewright.runtime.training.optimisers import ArchitectureOptimiser, WeightOptimiser
from fusewright.runtime.training.prepare import prepare

from ...support.processes import together
from ...support.running import FIXED, QUICK, problem, same, spec
from ..training.test_stopping import DATA, OVERFITTING

CPU = torch.device("cpu")
STEPS = 20
ROUNDS = 5


def steps(out: Path) -> None:
    """Weight and architecture steps in double precision, without dropout; writes the end."""
    join("cpu")
    assert count() == int(os.environ["WORLD_SIZE"])
    torch.set_num_threads(1)
    network = checked(fw.loads(str(spec()).replace("dropout = 0.1", "dropout = 0")))
    data = load_data(problem(90), network)
    settings = QUICK.with_options(batch=16, averaging=0.9)
    module, prepared = prepare(network, data, settings, CPU)
    module = module.double().train()
    batches = Batches(prepared, prepared.indices(TRAIN), settings.batch, CPU)
    batches._features = {n: f.double() for n, f in batches._features.items()}  # pyright: ignore[reportPrivateUsage]
    optimisers = (WeightOptimiser(module, settings, 10), ArchitectureOptimiser(module, settings))
    done = 0
    while done < STEPS:
        for batch in batches.shuffled(done):
            for optimiser in optimisers:
                with optimiser.stepping():
                    optimiser.step(optimiser.loss(Objective(network.head), batch))
            done += 1
    if rank() == 0:
        averages = {f"average of {n}": t.numpy() for n, t in optimisers[0].averages.state().items()}
        save_file({**module.arrays(), **averages}, out)


def searched(out: Path, strategy: str, select: str, **options: Any) -> None:
    """A search whose every process writes what it found."""
    torch.set_num_threads(1)
    settings = QUICK.with_options(strategy=strategy, select=select, relax="per_input")
    settings = settings.with_options(candidates=3, trial_epochs=3)
    found = fw.search(spec(), problem(90), out=out / "run", settings=settings, **options)
    assert count() == int(os.environ["WORLD_SIZE"])
    (out / f"{rank()}.fuse").write_text(str(found.genotype))
    save_file(dict(found.weights), out / f"{rank()}.safetensors")


def stopped(out: Path) -> None:
    """A training that stops early; every process writes its records and what it kept."""
    torch.set_num_threads(1)
    trained = fw.train(spec(FIXED), DATA, **OVERFITTING)
    assert count() == int(os.environ["WORLD_SIZE"])
    (out / f"{rank()}.json").write_text(json.dumps(trained.history))
    save_file(dict(trained.weights), out / f"{rank()}.safetensors")


def dying(out: Path, strategy: str, select: str) -> None:
    """A search whose second process is killed after the second round."""
    (out / f"{os.environ['RANK']}.pid").write_text(str(os.getpid()))

    def kill(record: Mapping[str, Any]) -> None:
        if record["round"] == 2:
            os.kill(int((out / "1.pid").read_text()), signal.SIGKILL)

    searched(out, strategy, select, epochs=ROUNDS, report=kill)


def resumed(out: Path, strategy: str, select: str) -> None:
    """The search in a folder, gone on with where there is one."""
    searched(out, strategy, select, epochs=ROUNDS, resume=True)


PREAMBLE = (
    "import sys; from pathlib import Path; from tests.runtime.parallel.test_processes import *; "
)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes did together: steps, and a search by each of the ways."""
    folder = tmp_path_factory.mktemp("two")
    code = PREAMBLE + "out = Path(sys.argv[1]); steps(out / 'steps.safetensors'); all_ways(out)"
    together(2, code, str(folder))
    return folder


def test_two_processes_step_as_one(two_processes: Path, tmp_path: Path) -> None:
    together(1, PREAMBLE + "steps(Path(sys.argv[1]))", str(tmp_path / "one.safetensors"))
    one: Mapping[str, NDArray[Any]] = load_file(tmp_path / "one.safetensors")
    two: Mapping[str, NDArray[Any]] = load_file(two_processes / "steps.safetensors")
    assert one.keys() == two.keys()
    start = prepare_arrays()
    assert any(not np.allclose(one[n], start[n]) for n in start)
    for name, array in one.items():
        assert array.dtype == np.float64
        assert np.abs(array - two[name]).max(initial=0) <= 1e-8, name


def prepare_arrays() -> Mapping[str, NDArray[Any]]:
    """The parameters before the first step."""
    network = checked(spec())
    module, _ = prepare(network, load_data(problem(90), network), QUICK, CPU)
    return module.arrays()


WAYS = [("darts", ""), ("gdas", ""), ("single-path", "halving"), ("darts", "perturbation")]


def all_ways(out: Path) -> None:
    """A search by each of the ways, into a folder of its own."""
    for number, (strategy, select) in enumerate(WAYS):
        folder = out / str(number)
        folder.mkdir(exist_ok=True)
        searched(folder, strategy, select)
    with pytest.raises(fw.DiagnosticError, match="already holds a search"):
        searched(out / "0", *WAYS[0])
    (out / f"{rank()}.refused").touch()


def test_every_process_finds_the_same_genotype(two_processes: Path) -> None:
    assert len([*two_processes.glob("*.refused")]) == 2
    for number in range(len(WAYS)):
        folder = two_processes / str(number)
        genotypes = [(folder / f"{i}.fuse").read_text() for i in range(2)]
        assert genotypes[0] == genotypes[1] == str(fw.load(folder / "run/genotype.fuse"))
        weights = [load_file(folder / f"{i}.safetensors") for i in range(2)]
        assert same(weights[0], weights[1])
        fw.loads(genotypes[0])


def test_where_a_process_is_killed_all_end_and_the_search_goes_on(tmp_path: Path) -> None:
    code = PREAMBLE + "[{}(Path(place), 'darts', '') for place in sys.argv[1:]]"
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    with pytest.raises(subprocess.CalledProcessError):
        together(2, code.format("dying"), str(cut), launcher=True)
    assert (cut / "run" / "checkpoint.pt").exists()
    assert not (cut / "run" / "genotype.fuse").exists()
    together(2, code.format("resumed"), str(cut), str(whole), launcher=True)
    assert (cut / "run/genotype.fuse").read_text() == (whole / "run/genotype.fuse").read_text()
    assert same(load_file(cut / "0.safetensors"), load_file(whole / "0.safetensors"))


def test_two_processes_stop_early_in_one_epoch_with_one_best(tmp_path: Path) -> None:
    together(2, PREAMBLE + "stopped(Path(sys.argv[1]))", str(tmp_path))
    first, second = (json.loads((tmp_path / f"{number}.json").read_text()) for number in range(2))
    assert first == second
    losses = [record["validation_loss"] for record in first]
    best = first[-1]["best_epoch"]
    assert int(np.argmin(losses)) + 1 == best
    assert len(first) == best + OVERFITTING["patience"] < OVERFITTING["epochs"]
    weights = [load_file(tmp_path / f"{number}.safetensors") for number in range(2)]
    assert same(weights[0], weights[1])
    held = DATA["split"] == 1
    logits = torch.from_numpy(fw.predict(spec(FIXED), DATA, weights=weights[0])[held])
    truth = torch.from_numpy(DATA["labels"][held])
    found = float(torch.nn.functional.cross_entropy(logits, truth))
    assert found == pytest.approx(losses[best - 1], abs=1e-4)
