"""The home: a small whole of every file that the project reads, from which inputs are made."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

import fusewright as fw
from fusewright.compiler.compile import to_program
from fusewright.compiler.load import Notation, spell
from fusewright.compiler.program.text import print_program
from fusewright.compiler.system.process import Process
from fusewright.compiler.targets.keys import SPEC_KEY
from fusewright.runtime.data.importing import import_features
from fusewright.runtime.deploy.deploy import deploy
from fusewright.runtime.joint.train import train_joint
from fusewright.runtime.latency.measure import profile
from fusewright.runtime.parallel.interrupt import Interrupted
from fusewright.runtime.raw.public import public_sets
from fusewright.runtime.raw.tiny import FEWEST, write_tiny
from fusewright.runtime.reproduce.rows import Done, Rows
from fusewright.runtime.runs.controls import Control, Controls
from fusewright.runtime.runs.digests import digests
from fusewright.runtime.runs.ensemble import write_ensemble
from fusewright.runtime.runs.folder import RunFolder
from fusewright.runtime.runs.missing import MissingCurve, MissingPoint, Robustness
from fusewright.runtime.runs.names import DIGESTS, about_file
from fusewright.runtime.runs.statistics import Interval
from fusewright.runtime.training.ensemble import train_ensemble

from ..support import extracting, found, joint, tables
from ..support.ensembles import ensemble
from ..support.paths import EXAMPLES, ROOT, VECTORS
from ..support.raw_forms import same_in_every_form
from ..support.running import FIXED, problem, spec
from .corpus import corpus
from .readers import run_command
from .session import MESSAGES, framed
from .target import Place
from .workers import awaited, forked

QUICK: Mapping[str, Any] = {
    "epochs": 2,
    "batch": 16,
    "candidates": 3,
    "trial_epochs": 2,
    "together": 2,
    "threads": 1,
    "relax": "per_input",
}
"""Settings with which everything takes moments."""
SAMPLES = 36
SPLIT = np.array(["train", "validation", "test"])[np.arange(SAMPLES) // (SAMPLES // 3)]
NOTATIONS: Mapping[str, Notation] = {
    "space.json": "json",
    "space.yaml": "yaml",
    "space.graphml": "graphml",
    "graph.json": "node-link",
}
WARMING = (
    *("check space.fuse space.json space.yaml", "info space.fuse --stage program", "ops bmnas"),
    *("convert space.graphml --to graphml", "import genotype.txt --spec published.fuse"),
    *("draw space.fuse -o ../warm.html", "new --data data.npz", "report searched -o ../warm.html"),
    "extract raw.fuse --raw saved --out ../warm --backbones backbones.toml --workers 1",
    "train joint.fuse --joint --data pictures.npz --out ../warm2 --epochs 1 --threads 1"
    " --backbones backbones.toml",
    *("load network.onnx", "load network.safetensors", "check graph.json"),
)
"""Commands after which what is read once has been read, and no thread runs."""


def prepared(folder: Path) -> Place:
    """A place in an empty folder with the home in it, and in this process all that is needed there.

    A process of its own builds the home, and tells what it had to import for that: processes that
    are forked later then find it there.
    """
    home, imported = folder / "home", folder / "imported.txt"
    home.mkdir()

    def work() -> None:
        build(home)
        imported.write_text("\n".join(sys.modules), encoding="utf-8")

    if awaited(forked(work)):
        raise RuntimeError("the home cannot be built")
    corpus()
    for name in imported.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(Exception):  # some names stand for modules that are made otherwise
            import_module(name)
    with contextlib.chdir(home):
        for line in WARMING:
            run_command(line.split())
    assert threading.active_count() == 1, "what forks has one thread"
    return Place(home, folder)


def build(home: Path) -> None:
    """Writes everything into a folder that is empty."""
    space, network = spec(), spec(FIXED)
    _write_texts(home, space, network)
    data = problem(SAMPLES)
    np.savez(home / "data.npz", **data)
    tensors = {name: np.ascontiguousarray(array) for name, array in data.items()}
    save_file(tensors, home / "data.safetensors")
    (home / "data").mkdir()
    np.savez(home / "data" / "features.npz", **{n: data[n] for n in "AB"})
    save_file({n: a for n, a in tensors.items() if n not in "AB"}, home / "data" / "x.safetensors")
    import_features(data, home / "stores" / "store", spec=space)
    _write_tables(home / "held", data)
    _write_raw(home)
    _write_rows(home)
    settings = fw.Settings(**QUICK)
    (home / "settings.toml").write_text(settings.to_toml(), encoding="utf-8")
    _run(home, space, network, settings)


def _write_tables(place: Path, data: Mapping[str, Any]) -> None:
    """The data in every other format that people hold them in, a folder for each."""
    for name, write in tables.FILES.items():
        folder = place / name.replace(", ", "-").replace(" ", "-")
        folder.mkdir(parents=True)
        flat = {n: a.reshape(len(a), -1) if a.ndim > 2 else a for n, a in data.items()}
        write({**(flat if name in tables.FLAT else data), "split": SPLIT}, folder)


def _write_raw(home: Path) -> None:
    """Raw data in every form, what is extracted from them, and by what."""
    same_in_every_form(home, 5)
    for name in ("mmimdb", "ntu", "egogesture"):
        write_tiny(public_sets()[name], home / "paper" / name, FEWEST)
    (home / "raw.fuse").write_text(extracting.SPEC, encoding="utf-8")
    lists = json.dumps(extracting.BACKBONES.backbone)
    (home / "backbones.toml").write_text(f"backbone = {lists}\n", encoding="utf-8")
    weights = extracting.text().state_dict()
    save_file({name: t.numpy() for name, t in weights.items()}, home / "backbone.safetensors")
    torch.save(weights, home / "backbone.pt")
    words = models.WordLevel({"[UNK]": 0, "a": 1, "of": 2}, unk_token="[UNK]")
    Tokenizer(words).save(str(home / "tokenizer.json"))
    spec, arrays = fw.loads(joint.ONE_BACKBONE), joint.pictures(SAMPLES)
    (home / "joint.fuse").write_text(str(spec), encoding="utf-8")
    np.savez(home / "pictures.npz", **arrays)
    quick: dict[str, Any] = {"epochs": 1, "batch": 16, "threads": 1}
    (home / "joint.onnx").write_bytes(joint.joined().SerializeToString())
    train_joint(spec, arrays, out=home / "joined", backbones=extracting.BACKBONES, **quick)


def _write_texts(home: Path, space: fw.Spec, network: fw.Spec) -> None:
    texts = {name: spell(space, notation) for name, notation in NOTATIONS.items()}
    published = (ROOT / "examples" / "ntu1_genotype.fuse").read_text(encoding="utf-8")
    texts |= {
        "space.fuse": str(space),
        "network.fuse": str(network),
        "published.fuse": published,
        "genotype.txt": spell(fw.loads(published), "published"),
        "layers.txt": spell(fw.load(EXAMPLES / "systems" / "mfas_4.fuse"), "mfas"),
        "found.fuse": str(found.SPACE),
        "program.txt": print_program(to_program(network)),
        "numbers.txt": "C=8",
        "tune.txt": "max_learning_rate = 1e-3 | 3e-3, weight_decay = 1e-4",
        "modality.txt": "image: A[c 512, h 7, w 7], B[c 64]",
    }
    for name, text in texts.items():
        (home / name).write_text(text, encoding="utf-8")
    for name in ("found.pkl", "found.pt"):
        (home / name).write_bytes((VECTORS / name).read_bytes())
    (home / "session.lsp").write_bytes(framed(MESSAGES))


def _write_rows(home: Path) -> None:
    """A row of a table that is reproduced, with what its network gives."""
    one = Done(
        key="0" * 16, row="late fusion", data="made up", seed=0, genotype=str(spec(FIXED)),
        score=0.5, parameters=10, macs=20, seconds=0.25, outputs="", curve=(0.25, 0.5),
    )  # fmt: skip
    (home / "reproduced").mkdir()
    Rows(home / "reproduced").add(one, np.full((4, 3), 0.25, np.float32))


def _run(home: Path, space: fw.Spec, network: fw.Spec, settings: fw.Settings) -> None:
    data = home / "data.npz"
    measured = profile(network, "here", repetitions=1)
    times = dict.fromkeys(measured.milliseconds, 0.25)
    text = replace(measured, milliseconds=times, overhead=0.5).text()
    (home / "profile.json").write_text(text, encoding="utf-8")
    fw.search(space, data, out=home / "searched", settings=settings, strategy="halving")
    (home / "locked").mkdir()
    gone = {"command": "train", "process": 2**22, "host": Process.own().host, "since": "then"}
    (home / "locked" / "run.lock").write_text(json.dumps({**gone, "began": "0"}))
    (home / "searched" / "profile.json").write_bytes((home / "profile.json").read_bytes())
    _controls().write(home / "searched")
    write_ensemble(ensemble(), RunFolder(home / "searched" / "ensemble"), [settings] * 3)
    _adopt(home / "searched")
    fw.train(network, data, out=home / "trained", settings=settings)
    with contextlib.suppress(fw.DiagnosticError):
        fw.train(network, data, out=home / "stopped", settings=settings, report=_stop)
    points = (MissingPoint(0.0, 0.9, 0.8, 1.0), MissingPoint(1.0, 0.5, 0.4, 0.6))
    curves = (MissingCurve(("left",), points),)
    Robustness("accuracy", 12, 20, curves, ("right",)).keep(home / "trained")
    train_ensemble(ensemble(), data, out=home / "together", settings=settings)
    deploy(home / "trained", home / "network.onnx")
    deploy(home / "trained", home / "network.safetensors")
    with ZipFile(home / "network.pt2", "w") as archive:  # what is read of such a file
        archive.writestr(f"archive/extra/{SPEC_KEY}", str(network))
        archive.writestr("archive/models/model.json", "{}")
    storage = str(home / "study.log")
    fw.search(space, data, settings=settings, strategy="tpe", storage=storage, candidates=2)


def _stop(record: Mapping[str, Any]) -> None:
    """Ends a training after its first epoch, as a signal would."""
    raise Interrupted


def _adopt(run: Path) -> None:
    """Makes what was put into the folder of a search what the search has written."""
    file = run / about_file("search")
    record = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**record, DIGESTS: digests(run, "search")}), encoding="utf-8")


def _controls() -> Controls:
    rows = (
        Control("the found genotype", 0.8, (0.8,), 40.0),
        Control("linear", 0.7, (0.7,), 0.0, Interval(0.1, -0.2, 0.3)),
        Control("random", 0.6, (0.5, 0.7), 80.0, Interval(0.2, 0.1, 0.4), is_kept=False),
    )
    return Controls("validation_accuracy", 2, 40.0, 2, rows, ("late fusion: no",))
