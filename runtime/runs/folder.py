"""A run folder: everything that is needed to repeat the run, and what it found (`names.py`).

Files are written beside their place and then moved there, so that none is ever half written; to
`history.jsonl` alone lines are added.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import save

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.system.files import write_file
from ...compiler.system.provenance import described, versions
from ..latency.profile import Profile, read_profile
from ..settings import Settings, read_settings
from ..tuning import TUNED
from .names import (
    CHECKPOINT,
    CONTROLS,
    ENSEMBLE,
    ENSEMBLE_FOLDER,
    GENOTYPE,
    HISTORY,
    PARTS,
    PROFILE,
    SEARCH_WEIGHTS,
    SPECIFICATION,
    WEIGHTS,
    about_file,
    settings_file,
)

_OF_AN_EARLIER_RUN = (
    *(CHECKPOINT, CONTROLS, ENSEMBLE, PROFILE, GENOTYPE, WEIGHTS, SEARCH_WEIGHTS),
    *(about_file("search"), about_file("train"), settings_file("train")),
)
DAMAGED = (OSError, ValueError, TypeError, LookupError, RecursionError, OverflowError)
"""What reading a file raises that is not as a run writes it."""
BESIDE = "# found with the settings of "
"""How the text of a genotype begins that has settings beside it."""
OF_A_GENOTYPE = ("epochs", "batch", "split_seed", "precision", "validation_weight", *TUNED)
"""The settings that are kept with a genotype."""
LONGEST_LINE = 1_000
METRICS_KEY, RUN_KEY, SPACE_KEY = "fusewright.metrics", "fusewright.run", "fusewright.space"
"""Where an artifact's metadata hold the run's last record, its settings, and what it searched."""


@dataclass(frozen=True)
class RunFolder:
    """A run folder; `stage` is the command that writes into it, `search` or `train`."""

    path: Path
    stage: str = ""

    @classmethod
    def create(
        cls,
        out: str | PathLike[str],
        stage: str,
        overwrite: bool,
        genotype: Spec | None = None,
        *,
        resume: bool = False,
    ) -> RunFolder:
        """The folder for a new run, not yet made; raises DiagnosticError if a run would be lost.

        A training may go where the search is that found its genotype; one of no `genotype` is that
        of an ensemble. With `resume`, a run that is there goes on.
        """
        path = Path(out)
        remedy = "choose another folder, or add `--overwrite`"
        lost = ("search", "train") if stage == "search" else (stage,)
        for one in lost:
            if (path / about_file(one)).exists() and not (overwrite or resume):
                raise fail("E507", f"`{path}` already holds a {one}", help=remedy)
        finished = (path / about_file(stage)).exists() and not (path / CHECKPOINT).exists()
        if resume and finished:
            message = f"`{path}` holds a {stage} that is finished, without a checkpoint"
            raise fail("E507", message, help=remedy)
        if stage == "search" and (path / CHECKPOINT).exists() and not (overwrite or resume):
            message = f"`{path}` holds a search that was stopped"
            raise fail("E510", message, help="go on with `--resume`, or add `--overwrite`")
        if stage == "train":
            held = cls(path).holds_ensemble if genotype else (path / GENOTYPE).exists()
            if held:
                what = "an ensemble" if genotype else "a single genotype"
                raise fail("E507", f"`{path}` holds {what}", help="choose another folder")
        file = path / GENOTYPE
        if genotype is not None and file.exists() and not overwrite and load(file) != genotype:
            raise fail("E507", f"`{path}` already holds another genotype", help=remedy)
        place = next(p for p in (path, *path.absolute().parents) if p.exists())
        if not place.is_dir() or not os.access(place, os.W_OK):
            raise fail("E504", f"cannot write into `{place}`", help="choose another folder")
        return cls(path, stage)

    @property
    def holds_ensemble(self) -> bool:
        """Whether this is the folder of an ensemble, and of no single genotype."""
        return (self.path / ENSEMBLE).is_file()

    def require(self, name: str) -> Path:
        """The path of a file of the run; raises DiagnosticError where it is missing."""
        path = self.path / name
        if not path.is_file():
            message = f"the run `{self.path}` has no `{name}`"
            raise fail("E507", message, help="was the run finished? train it again")
        return path

    def settings(self, stage: str) -> Settings:
        """The settings of a stage of this run."""
        return read_settings(self.require(settings_file(stage)))

    def metadata(self) -> dict[str, str]:
        """What an artifact of this trained run says of it; what is not known is left out."""
        entries = {RUN_KEY: json.dumps({"split_seed": self.settings("train").split_seed})}
        if metrics := self._last_epoch():
            entries[METRICS_KEY] = json.dumps(metrics)
        space = self.path / SPECIFICATION
        if space.is_file():
            entries[SPACE_KEY] = str(load(space))
        return entries

    def _last_epoch(self) -> dict[str, Any]:
        """The last record of the training; nothing where its file is damaged or gone."""
        try:
            return self.history("train")[-1]
        except DAMAGED:
            return {}

    def write_run(
        self,
        spec: Spec | None,
        settings: Settings,
        data: object,
        **more: Any,
    ) -> None:
        """Writes what the run was: specification, settings, versions and data."""
        if spec is not None:
            self.write_spec(SPECIFICATION, spec)
        self._write(settings_file(self.stage), settings.to_toml().encode())
        record = {
            "stage": self.stage,
            "versions": versions(),
            "machine": {"system": platform.platform(), "processors": os.cpu_count()},
            "data": describe(data),
            **more,
        }
        self._write(about_file(self.stage), json.dumps(record, indent=1).encode())

    def write_profile(self, profile: Profile) -> None:
        """Writes the machine that budgets of latency were held to on."""
        self._write(PROFILE, profile.text().encode())

    def profile(self) -> Profile | None:
        """The machine of this run's budgets; None where there are none of latency."""
        path = self.path / PROFILE
        return read_profile(path) if path.exists() else None

    def history(self, stage: str) -> list[dict[str, Any]]:
        """The records of a stage; raises OSError or ValueError where they cannot be read."""
        lines = (self.path / HISTORY).read_text(encoding="utf-8").splitlines()
        records = [dict(json.loads(line)) for line in lines]
        return [r for r in records if r.pop("stage", None) == stage]

    def begin_history(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Writes the records of this stage anew; those of others stay.

        Lines that cannot be read go: a run that was killed may have left one that is cut short.
        """
        others: list[str] = []
        if (self.path / HISTORY).exists():
            text = (self.path / HISTORY).read_text(encoding="utf-8", errors="replace")
            others = [line + "\n" for line in text.splitlines() if self._is_of_another(line)]
        own = [self._line(self.stage, r) for r in records]
        self._write(HISTORY, "".join(others + own).encode())

    def _is_of_another(self, line: str) -> bool:
        try:
            stage = json.loads(line)["stage"]
        except DAMAGED:
            return False
        return stage in ("search", "train") and stage != self.stage

    def begin_search(self) -> None:
        """Removes what an earlier run left here that would seem to belong to a new search."""
        for name in _OF_AN_EARLIER_RUN:
            (self.path / name).unlink(missing_ok=True)
        for name in (PARTS, ENSEMBLE_FOLDER):
            shutil.rmtree(self.path / name, ignore_errors=True)
        self._write(HISTORY, b"")

    def append_history(self, record: Mapping[str, Any]) -> None:
        """Adds a record of this stage."""
        try:
            with (self.path / HISTORY).open("a", encoding="utf-8") as stream:
                stream.write(self._line(self.stage, record))
        except OSError as error:
            raise fail("E504", f"cannot write `{HISTORY}`: {error.strerror}") from None

    @staticmethod
    def _line(stage: str, record: Mapping[str, Any]) -> str:
        return json.dumps({"stage": stage, **record}) + "\n"

    def write_spec(self, name: str, spec: Spec) -> None:
        self._write(name, str(spec).encode())

    def write_genotype(
        self, genotype: Spec, settings: Settings | None, name: str = GENOTYPE
    ) -> None:
        """Writes a genotype, and beside it the settings that it was trained with, if any."""
        beside = Path(name).with_suffix(".toml").name
        (self.path / beside).unlink(missing_ok=True)
        if settings is None:
            self.write_spec(name, genotype)
            return
        self._write(beside, settings.to_toml(OF_A_GENOTYPE).encode())
        self._write(name, f"{BESIDE}{beside}\n{genotype}".encode())

    def write_tensors(self, name: str, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._write(name, save(dict(tensors)))

    def _write(self, name: str, content: bytes) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise fail("E504", f"cannot create `{self.path}`: {error.strerror}") from None
        write_file(self.path / name, content)


def of_a_genotype(settings: Settings) -> dict[str, Any]:
    """Those of the settings that are kept with a genotype, by name."""
    return {name: getattr(settings, name) for name in OF_A_GENOTYPE}


def settings_beside(genotype: Path) -> Settings | None:
    """The settings that a search wrote beside a genotype; None where there are none."""
    name = Path(stated_beside(genotype)).name
    path = genotype.parent / name
    return read_settings(path) if name and path.is_file() else None


def stated_beside(genotype: Path) -> str:
    """The file that a genotype names as that of its settings; empty where it names none."""
    try:
        with genotype.open(encoding="utf-8") as stream:
            line = stream.readline(LONGEST_LINE)
    except (OSError, UnicodeDecodeError):
        return ""
    return line.removeprefix(BESIDE).strip() if line.startswith(BESIDE) else ""


def describe(data: object) -> dict[str, Any]:
    """What data a run read: its files with sizes and hashes, or that it came from memory."""
    if not isinstance(data, (str, PathLike)):
        return {"source": "arrays in memory"}
    place = Path(data)
    files = sorted(f for f in place.iterdir() if f.is_file()) if place.is_dir() else [place]
    return {
        "source": str(place),
        "files": [{"name": file.name, **described(file)} for file in files],
    }


def settings_of(metadata: Mapping[str, str]) -> Settings:
    """The settings of the run that an artifact tells of, as far as it can be believed."""
    try:
        return Settings(split_seed=json.loads(metadata[RUN_KEY])["split_seed"])
    except DAMAGED:
        return Settings()
