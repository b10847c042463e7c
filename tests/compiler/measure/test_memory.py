"""Memory is estimated before it is taken: what there is, what is needed, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.compile import to_program
from fusewright.compiler.measure import memory
from fusewright.compiler.measure.memory import (
    Memory,
    exceeds,
    learned,
    network_memory,
    require_memory,
    training_memory,
)
from fusewright.compiler.program.initial import initial_values
from fusewright.compiler.system import memory as system
from fusewright.compiler.system.memory import available_memory, memory_text, parse_memory
from fusewright.compiler.tools.describe import describe, summary
from fusewright.runtime.data.memory import held

from ...support.running import FIXED, command, problem, spec

GB = 10**9


def enormous() -> fw.Spec:
    """Billions of parameters, none of which is too large by itself."""
    cells = "".join(
        f"cell K{i}({f'K{i - 1}' if i else 'A'}, B) {{ S = MHA(x, y, heads = 2) }} "
        for i in range(8)
    )
    return fw.loads(
        f"network n(C = 16000, L = 2) use fusion modality m {{ A[c 3] B[c 4] }} {cells}"
        "output K7 predict 3 classes"
    )


DATA: dict[str, Any] = {
    "A": np.zeros((40, 3)),
    "B": np.zeros((40, 4)),
    "labels": np.arange(40) % 3,
}


# What is said of memory


@pytest.mark.parametrize(
    ("text", "count"),
    [("64GB", 64 * GB), ("1.5 GiB", 3 << 29), ("512mb", 512 * 10**6), ("10B", 10), ("1kb", 1000)],
)
def test_amounts_are_read(text: str, count: int) -> None:
    assert parse_memory(text) == count


@pytest.mark.parametrize("text", ["64", "GB", "-1GB", "0GB", "1e3GB", "64 GB of it", "9" * 99])
def test_what_is_no_amount_is_diagnosed(text: str) -> None:
    with pytest.raises(fw.DiagnosticError, match="is no amount of memory"):
        fw.Settings(memory=text)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 KB"), (2_068_000_000, "2.07 GB")]
)
def test_amounts_are_written(count: int, text: str) -> None:
    assert memory_text(count) == text


# What there is


def test_the_least_of_all_limits_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo, own, groups = tmp_path / "meminfo", tmp_path / "cgroup", tmp_path / "groups"
    meminfo.write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\nSwapFree: 1000 kB\n")
    own.write_text("0::/a/b\n")
    (groups / "a" / "b").mkdir(parents=True)
    for name, file in (("_MACHINE", meminfo), ("_OWN_GROUPS", own), ("_GROUPS", groups)):
        monkeypatch.setattr(system, name, file)
    assert available_memory() == 6000 * 1024
    for folder, most in ((groups / "a" / "b", "max"), (groups / "a", "3000000")):
        (folder / "memory.max").write_text(most)
        (folder / "memory.current").write_text("1000000")
        (folder / "memory.stat").write_text("anon 1\ninactive_file 500000\n")
    assert available_memory() == 2_500_000
    own.write_text("5:cpu:/\n4:memory:/c\n")
    (groups / "memory" / "c").mkdir(parents=True)
    folder = groups / "memory" / "c"
    (folder / "memory.limit_in_bytes").write_text("1000000")
    (folder / "memory.usage_in_bytes").write_text("2000000")
    (folder / "memory.stat").write_text("total_inactive_file 0\n")
    assert available_memory() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system says less")
def test_the_limit_of_the_process_counts() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    whole = available_memory()
    assert whole is not None
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    now = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (256 << 20), before[1]))
    try:
        assert (available_memory() or 0) <= 256 << 20
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


# What is needed


def test_training_holds_four_numbers_of_every_weight() -> None:
    program = to_program(spec(FIXED))
    found = training_memory(learned(program), 0)
    weights = sum(p.elements for p in program.parameters if p.kind == "weight")
    rest = sum(p.elements for p in program.parameters) - weights
    assert found.uses == {"parameters": 4 * (weights + rest), "optimiser": 12 * weights, **NOTHING}
    assert found.certain == found.total
    assert network_memory(program).total == 4 * (weights + rest)


NOTHING = {"activations": 0}


def test_what_a_batch_makes_grows_with_it() -> None:
    program = learned(to_program(spec(FIXED)))
    small, large = (training_memory(program, batch).uses["activations"] for batch in (10, 1000))
    assert large == pytest.approx(100 * small)


def test_a_hypernet_holds_its_candidates() -> None:
    both, one = (
        training_memory(learned(to_program(made)), 96).total for made in (spec(), spec(FIXED))
    )
    assert both > one


# What is refused


@pytest.mark.parametrize(
    ("certain", "rest", "refused"), [(9, 10, False), (11, 0, True), (0, 39, False), (0, 41, True)]
)
def test_a_machine_is_refused_where_it_certainly_lacks_memory(
    certain: int, rest: int, refused: bool
) -> None:
    needed = Memory({"parameters": certain, "activations": rest}, certain)
    assert exceeds(needed, 10) == refused
    if refused:
        with pytest.raises(fw.DiagnosticError, match="and there is 10 B"):
            require_memory(needed, "it", there=10)
    else:
        require_memory(needed, "it", there=10)


def test_an_enormous_network_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 16 * GB)
    start = process_time()
    assert not fw.check(enormous())
    assert process_time() - start < 5
    with pytest.raises(fw.DiagnosticError, match="training needs about") as caught:
        fw.train(enormous(), DATA, out=tmp_path / "run")
    (found,) = caught.value.diagnostics
    assert found.code == "E512"
    assert "`K0.S.MHA_heads_2.Q` 4.1 GB" in (found.help or "")
    assert "`--memory 1" in (found.help or "")
    for run in (
        lambda: fw.compile(enormous(), "onnx"),
        lambda: fw.compile(enormous(), "torch"),
        lambda: fw.deploy(enormous(), tmp_path / "n.safetensors", initial=True),
    ):
        with pytest.raises(fw.DiagnosticError, match="the network needs about"):
            run()
    assert not list(tmp_path.iterdir())


def test_a_stated_limit_is_kept() -> None:
    network, data = spec(FIXED), problem()
    weights = initial_values(to_program(network))
    for run in (
        lambda stated: fw.train(network, data, epochs=1, batch=16, memory=stated),
        lambda stated: fw.predict(network, data, weights=weights, memory=stated),
        lambda stated: fw.compile(network, "numpy", memory=stated),
    ):
        with pytest.raises(fw.DiagnosticError, match="1 KB is allowed") as caught:
            run("1KB")
        assert caught.value.diagnostics[0].code == "E512"
        run("2GB")


def test_a_search_keeps_a_stated_limit() -> None:
    needed = training_memory(learned(to_program(spec(), "per_input")), 16).total
    there = held(problem(), checked(spec()), 16).memory.total
    assert there < needed
    for strategy in ("darts", "random"):
        with pytest.raises(fw.DiagnosticError, match="training needs about"):
            fw.search(
                spec(), problem(), strategy=strategy, batch=16, candidates=1, memory=f"{there}B"
            )


def test_data_that_do_not_fit_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **problem())
    with pytest.raises(fw.DiagnosticError, match="the data needs about"):
        fw.search(spec(), tmp_path / "data.npz", memory="1KB", out=tmp_path / "run")
    assert [file.name for file in tmp_path.iterdir()] == ["data.npz"]


def test_averages_of_weights_are_counted() -> None:
    """Themselves, and the weights while they stand in their place."""
    program = learned(to_program(spec(FIXED)))
    usual, averaged = (training_memory(program, 16, averaged=kept) for kept in (False, True))
    held = usual.uses["parameters"]
    assert averaged.uses["averages"] == 2 * held
    assert averaged.total - usual.total == averaged.certain - usual.certain == 2 * held
    assert sum(count for _, count in averaged.parts) == averaged.total
    data = sum(problem()[name].nbytes for name in "ABD")
    limit = data + usual.total + held
    fw.train(spec(FIXED), problem(), epochs=1, batch=16, memory=f"{limit}B")
    with pytest.raises(fw.DiagnosticError, match="training needs about") as caught:
        fw.train(spec(FIXED), problem(), epochs=1, batch=16, memory=f"{limit}B", averaging=0.9)
    assert [d.code for d in caught.value.diagnostics] == ["E512"]


@pytest.mark.parametrize("strategy", ["halving", "random", "tpe", "mfas", "dc"])
def test_a_search_by_candidates_is_refused_before_a_run_is_replaced(
    strategy: str, tmp_path: Path
) -> None:
    """Data fit, and no candidate does: what an earlier run found stays where it is."""
    given: dict[str, Any] = {
        "batch": 16, "candidates": 2, "trial_epochs": 1, "rungs": 1, "passes": 1, "folds": 2,
    }  # fmt: skip
    limit = sum(problem()[name].nbytes for name in "ABD") + 1
    for overwrite in (False, True):
        with pytest.raises(fw.DiagnosticError, match="training needs about") as caught:
            fw.search(spec(), problem(), out=tmp_path / "run", strategy=strategy,
                      memory=f"{limit}B", overwrite=overwrite, **given)  # fmt: skip
        assert [d.code for d in caught.value.diagnostics] == ["E512"]
        if not overwrite:
            assert not (tmp_path / "run").exists()
            (tmp_path / "run").mkdir()
            (tmp_path / "run/history.jsonl").write_text("")
            (tmp_path / "run/genotype.fuse").write_text(str(spec(FIXED)))
    assert (tmp_path / "run/genotype.fuse").read_text() == str(spec(FIXED))


def test_a_batch_has_no_more_samples_than_there_are() -> None:
    fw.train(spec(FIXED), problem(), epochs=1, batch=10**9)


# What info says


def test_info_says_what_training_takes(tmp_path: Path) -> None:
    described = describe(spec(FIXED))
    expected = training_memory(learned(to_program(spec(FIXED))), 96)
    assert described["memory"] == {"batch": 96, **expected.as_json()}
    assert f"{memory_text(expected.total)} to train a batch of 96" in summary(described)
    (tmp_path / "n.fuse").write_text(str(spec(FIXED)), encoding="utf-8")
    found = json.loads(command(tmp_path, "info", "n.fuse", "--json"))
    assert found["memory"]["total"] == expected.total
