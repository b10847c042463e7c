"""What the published codes leave behind: pickles as data, logs, layers of MFAS, and semantics."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.load import spell
from fusewright.compiler.published.genotype import genotype_from_text, genotype_text
from fusewright.compiler.published.importing import import_file, import_text
from fusewright.compiler.published.notation import CLOSING, read_genotype
from fusewright.compiler.published.pickled import MODULE
from fusewright.compiler.published.semantics import differences

from ...support.application import app
from ...support.paths import EXAMPLES
from .test_published import PUBLISHED, SPACE, TEXT

SPEC = fw.loads(SPACE)
CONFIGURATIONS = {
    1: [[3, 0, 0], [1, 3, 0], [1, 1, 1], [3, 3, 0]],
    2: [[3, 2, 0], [2, 3, 1], [0, 1, 1], [3, 0, 0]],
    3: [[1, 1, 1], [3, 2, 0], [0, 1, 1], [3, 0, 0]],
    4: [[3, 1, 1], [1, 3, 0], [1, 1, 1], [3, 3, 0]],
}
"""Those of `main_found_ntu.py` in MFAS's code."""


class Genotype(NamedTuple):
    """The published code's, as far as pickling sees it."""

    edges: Any
    steps: Any
    concat: Any


class StepGenotype(NamedTuple):
    """The published code's, as far as pickling sees it."""

    inner_edges: Any
    inner_steps: Any
    inner_concat: Any


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The published code's module of namedtuples, as far as pickling looks at it."""
    module: Any = ModuleType(MODULE)
    for made in (Genotype, StepGenotype):
        monkeypatch.setattr(made, "__module__", MODULE)
        setattr(module, made.__name__, made)
    parts = MODULE.split(".")
    for count in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(parts[count - 1]))
    monkeypatch.setitem(sys.modules, MODULE, module)
    return module


def genotype_of(module: Any) -> Any:
    read = read_genotype(TEXT)

    def pairs(edges: Any) -> list[tuple[str, int]]:
        return [("skip", e.position) for e in edges]

    steps = [
        module.StepGenotype(
            pairs(c.edges), [str(o.name) for o in c.operations], [i.position for i in c.concat]
        )
        for c in read.cells
    ]
    return module.Genotype(pairs(read.edges), steps, [i.position for i in read.concat])


# Pickles


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickled_genotype_is_read_in_every_protocol(
    protocol: int, published: Any, tmp_path: Path
) -> None:
    file = tmp_path / "best_genotype.pkl"
    file.write_bytes(pickle.dumps(genotype_of(published), protocol))
    assert import_file(file, SPEC) == (genotype_from_text(TEXT, SPEC), [])


class Payload:
    """What a pickle makes by a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


SYSTEM: Any = getattr(os, "system")  # noqa: B009  (by its name: it is deprecated, not for payloads)
MARKED: list[str] = []


def attacks(module: Any) -> Mapping[str, bytes]:
    good = genotype_of(module)
    harm = {
        "a command": Payload(SYSTEM, "touch harmed"),
        "code": Payload(exec, "open('harmed', 'w')"),
        "an expression": Payload(eval, "open('harmed', 'w')"),
        "an import": Payload(__import__, "this"),
        "an attribute": Payload(getattr, good, "edges"),
        "a file": Payload(open, "harmed", "w"),
        "memory": Payload(bytearray, 1 << 40),
        "a method": Payload(MARKED.append, "harmed"),
        "a subprocess": Payload(__import__("subprocess").Popen, ["touch", "harmed"]),
    }
    found = {f"{name} alone": pickle.dumps(value, 2) for name, value in harm.items()}
    system = pickle.dumps(harm["a command"], 0)
    found |= {
        "in the edges": pickle.dumps(good._replace(edges=harm["a command"]), 4),
        "in a Step": pickle.dumps(good._replace(steps=[harm["code"]]), 2),
        "before it": pickle.dumps(harm["a command"], 2)[:-1] + b"0" + pickle.dumps(good, 2)[2:],
        "protocol 0": system,
        "an object with a state": b"\x80\2}}b.",
        "an instance": b"(S'touch harmed'\nios\nsystem\n.",
        "an object": b"(cos\nsystem\nS'touch harmed'\no.",
        "a persistent object": b"Ptouch harmed\n.",
        "an extension": b"\x80\2\x82\1.",
        "a namedtuple of another module": b"cos.genotypes\nGenotype\n(lltR.",
        "an attribute of a namedtuple": f"c{MODULE}\nGenotype.__new__\n(lltR.".encode(),
        "a constructor of tuples": (
            b"ccopyreg\n_reconstructor\n(cos\nsystem\ncbuiltins\ntuple\n(ttR."
        ),
        "a class that is no value": f"c{MODULE}\nGenotype\n.".encode(),
        "too few fields": f"c{MODULE}\nGenotype\n(ltR.".encode(),
    }
    return found


HARMFUL = 23


def test_pickles_that_attack_execute_nothing(
    published: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    payloads = attacks(published)
    assert len(payloads) == HARMFUL
    for name, content in payloads.items():
        Path("genotype.pkl").write_bytes(content)
        with pytest.raises(DiagnosticError) as caught:
            import_file("genotype.pkl", SPEC)
        assert caught.value.diagnostics[0].code == "E601", name
        assert [*Path().iterdir()] == [Path("genotype.pkl")], name
    assert not MARKED
    assert "this" not in sys.modules


WRONG = {
    "a text": (lambda m: "Genotypes", "holds a `str`"),
    "no list of edges": (lambda m: m.Genotype(7, [], []), "`edges` are a `int`, not a list"),
    "another edge": (lambda m: m.Genotype([("none", 1)], [], []), "an edge of it is no pair"),
    "no whole number": (lambda m: m.Genotype([], [], [True]), "no whole number"),
    "a large number": (lambda m: m.Genotype([], [], [1 << 70]), "no whole number"),
    "no Cell": (lambda m: m.Genotype([], [()], []), "`steps` hold a `tuple`"),
    "no name": (
        lambda m: m.Genotype([], [m.StepGenotype([], [1], [])], []),
        "the name of an operation",
    ),
    "a list many times": (
        lambda m: m.Genotype([], [m.StepGenotype([("skip", 1)] * 900, [], [])] * 100, []),
        "more than 10,000",
    ),
}


@pytest.mark.parametrize(("make", "why"), WRONG.values(), ids=WRONG)
def test_a_pickle_of_something_else_is_refused(
    make: Any, why: str, published: Any, tmp_path: Path
) -> None:
    (tmp_path / "g.pkl").write_bytes(pickle.dumps(make(published)))
    with pytest.raises(DiagnosticError, match=why):
        import_file(tmp_path / "g.pkl", SPEC)


def test_every_cut_and_change_of_a_pickle_ends_in_a_result_or_a_diagnostic(
    published: Any, tmp_path: Path
) -> None:
    content, file = pickle.dumps(genotype_of(published), 4), tmp_path / "g.pkl"
    start = monotonic()
    for place in range(len(content)):
        for changed in (content[:place], content[:place] + b"\xff" + content[place + 1 :]):
            file.write_bytes(changed)
            try:
                import_file(file, SPEC)
            except DiagnosticError:
                continue
    assert monotonic() - start < 20


# Logs, and what the published code makes of a genotype


def test_a_log_has_its_genotype_last() -> None:
    other = TEXT.replace("'Sum'", "'ConcatFC'")
    log = f"epoch 1\n{other}\nepoch 2\n{other}\nNow listing {CLOSING}:\n{TEXT}\nEND\n"
    assert import_text(log, SPEC)[0] == genotype_from_text(TEXT, SPEC)
    with pytest.raises(DiagnosticError, match="there are 2 genotypes"):
        import_text(f"{other}\n{TEXT}", SPEC)


def test_what_the_published_code_merges_is_taken_where_it_is_asked_for() -> None:
    said = TEXT.replace("inner_concat=[3]", "inner_concat=[2]").replace("[3, 4])", "[4, 3])")
    fixed, differ = import_text(said, SPEC)
    assert differ == [
        "`Cell_2` is said to merge 2, and the published code merges 3",
        "the network is said to merge 4, 3, and the published code merges 3, 4",
    ]
    assert genotype_text(fixed) == said
    faithful, _ = import_text(said, SPEC, faithful=True)
    assert genotype_text(faithful) == TEXT
    assert import_text(TEXT, SPEC, faithful=True)[1] == []


def test_the_published_code_runs_the_known_genotypes_as_they_say() -> None:
    assert len(PUBLISHED) == 9
    for entry in PUBLISHED:
        assert differences(read_genotype(entry["genotype"]), len(entry["features"])) == []


# MFAS


@pytest.mark.parametrize("number", CONFIGURATIONS)
def test_mfas_s_configurations_are_the_examples_and_come_back(number: int) -> None:
    example = fw.load(EXAMPLES / "systems" / f"mfas_{number}.fuse")
    layers = CONFIGURATIONS[number]
    assert import_text(str(layers), example)[0] == example
    assert spell(example, "mfas") == f"{layers}\n"


FORMS = {
    "numpy": "Now training:\n[[3 1 1]\n [1 3 0]\n [1 1 1]\n [3 3 0]]\n",
    "the name of a file": "conf_[[3_1_1]_[1_3_0]_[1_1_1]_[3_3_0]]_both_0.89.checkpoint",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_configuration_is_read_as_its_code_prints_it(text: str) -> None:
    example = fw.load(EXAMPLES / "systems" / "mfas_4.fuse")
    assert import_text(text, example)[0] == example


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[3, 1]]", "E601.*three numbers"),
        ("[[3, 1, 1]] [[3, 1, 1]]", "E601.*2 configurations"),
        ("[[4, 1, 1]]", "E602.*feature 4 of `skeleton`, which has 4"),
        ("[[3, 1, 7]]", "E602.*the activation 7"),
        ("[" + "[3, 1, 1]" * 101 + "]", "E601.*more than 100 layers"),
    ],
)
def test_a_bad_configuration_is_refused(text: str, why: str) -> None:
    with pytest.raises(DiagnosticError, match=why):
        import_text(text, fw.load(EXAMPLES / "ntu1.fuse"))


def test_what_is_no_network_of_mfas_has_no_configuration() -> None:
    with pytest.raises(DiagnosticError, match=r"E602.*no network of MFAS"):
        spell(fw.load(EXAMPLES / "ntu1_genotype.fuse"), "mfas")


# The command


def test_the_command_says_what_differs_and_where_weights_go(tmp_path: Path) -> None:
    space, vectors = tmp_path / "space.fuse", EXAMPLES.parent / "tests" / "vectors"
    space.write_text(SPACE, encoding="utf-8")
    said = TEXT.replace("[3, 4])", "[4, 3])")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["import", *arguments, "--spec", str(space)])

    result = run(said, "--faithful")
    assert result.exit_code == 0
    assert "note: what it merges is taken; `--fixed` takes the other" in result.stderr
    assert "cell Cell_2(A_2, Cell_1)" in result.stdout
    weights = ("--weights", str(vectors / "found.pt"))
    with pytest.raises(DiagnosticError, match=r"E506.*safetensors"):
        raise run(TEXT, *weights).exception
    with pytest.raises(DiagnosticError, match=r"E601.*is an archive"):
        raise run(str(vectors / "found.pt")).exception
    with pytest.raises(DiagnosticError, match=r"E506.*--alphas"):
        raise run(TEXT, "--alphas").exception
