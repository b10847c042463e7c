"""A run folder: everything that is needed to repeat the run, and what it found (`names.py`).

Files are written beside their place and then moved there, so that none is ever half written; to
`history.jsonl` alone lines are added.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import save

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.language.spec import Spec
from ...compiler.load import load
from ...compiler.system.files import (
    is_file,
    is_there,
    make_folder,
    read_bytes,
    remove,
    write_file,
)
from ...compiler.system.provenance import versions
from ..fields import KEPT
from ..latency.profile import Profile, read_profile
from ..settings import Settings, read_settings
from .beside import stated
from .digests import digests, require_own
from .files import bound, outdated, read_kind
from .history import line_of, read_history, read_lines
from .metadata import METRICS_KEY, RUN_KEY, SPACE_KEY
from .names import (
    CHECKPOINT,
    DATA,
    DIGESTS,
    ENSEMBLE,
    ENSEMBLE_FOLDER,
    FORMAT,
    GENOTYPE,
    HISTORY,
    LONGEST_HISTORY,
    PARTS,
    PROFILE,
    SPECIFICATION,
    TRAINED_WITH,
    WEIGHTS,
    about_file,
    settings_file,
)


@dataclass(frozen=True)
class RunFolder:
    """A run folder; `stage` is the command that writes into it, `search` or `train`."""

    path: Path
    stage: str = ""

    @property
    def holds_ensemble(self) -> bool:
        """Whether this is the folder of an ensemble, and of no single genotype."""
        return is_file(self.path / ENSEMBLE)

    def require(self, name: str) -> Path:
        """The path of a file of the run; raises DiagnosticError where it is missing."""
        path = self.path / name
        if not is_file(path):
            message = f"the run `{self.path}` has no `{name}`"
            raise fail("E507", message, help=self._missing(name))
        return path

    def _missing(self, name: str) -> str:
        """What to do where a file of the run is missing."""
        is_searched = is_file(self.path / about_file("search"))
        of_training = (WEIGHTS, settings_file("train"), about_file("train"))
        if name in of_training and is_searched and is_file(self.path / GENOTYPE):
            found = self.path / GENOTYPE
            return f"it is a search; train what it found: `fusewright train {found} --out …`"
        if is_file(self.path / CHECKPOINT):
            return "the search was stopped: go on with it by `--resume`"
        return "was the run finished? train it again"

    def settings(self, stage: str) -> Settings:
        """The settings of a stage of this run."""
        return read_settings(self.require(settings_file(stage)))

    def metadata(self) -> dict[str, str]:
        """What an artifact of this trained run says of it; what is not known is left out."""
        said: dict[str, Any] = {"split_seed": self.settings("train").split_seed}
        if trained := self.trained_with():
            said[TRAINED_WITH] = dict(trained)
        entries = {RUN_KEY: json.dumps(said)}
        if metrics := self._last_epoch():
            self.require_own("train", HISTORY)
            entries[METRICS_KEY] = json.dumps(metrics)
        space = self.path / SPECIFICATION
        if is_file(space) and is_file(self.path / about_file("search")):
            self.require_own("search", SPECIFICATION, GENOTYPE)
            entries[SPACE_KEY] = str(load(space))
        return entries

    def trained_with(self) -> Mapping[str, str]:
        """The digests of the backbones that were trained together with the network, by modality.

        None where there were none. Raises DiagnosticError where the record is damaged.
        """
        record = self.path / about_file("train")
        found: Mapping[str, str] = (
            read_kind(record).get(TRAINED_WITH, {}) if is_file(record) else {}
        )
        return found

    def require_own(self, stage: str, *names: str) -> None:
        """Raises DiagnosticError where files, or any, are not those that a stage wrote here."""
        require_own(self.require(about_file(stage)), names or bound(stage), stage)

    def _last_epoch(self) -> dict[str, Any]:
        """The last record of the training; nothing where its file is damaged or gone.

        Raises DiagnosticError where the system does not let it be read.
        """
        if not is_there(self.path / HISTORY):
            return {}
        try:
            return self.history("train")[-1]
        except IndexError:
            return {}
        except DiagnosticError as error:
            if error.diagnostics[0].code == "E504":
                raise
            return {}

    def write_settings(self, settings: Settings) -> None:
        """Writes the settings of this stage."""
        self._write(settings_file(self.stage), settings.to_toml().encode())

    def write_about(self, data: Mapping[str, Any], **more: Any) -> None:
        """Writes what the run was, its record of `data`, and digests of what it wrote: the last."""
        record = {
            "format": FORMAT,
            "stage": self.stage,
            "versions": versions(),
            "machine": {"system": platform.platform(), "processors": os.cpu_count()},
            "data": data,
            **more,
            DIGESTS: digests(self.path, self.stage),
        }
        self._write(about_file(self.stage), json.dumps(record, indent=1).encode())

    def write_data(self, identity: Mapping[str, Any]) -> None:
        """Writes what identifies the data, for a search that is resumed."""
        self._write(DATA, json.dumps(identity, indent=1).encode())

    def data(self) -> Mapping[str, Any] | None:
        """What `write_data` wrote; None where that is not there.

        Raises DiagnosticError where it is damaged.
        """
        path = self.path / DATA
        record: Mapping[str, Any] | None = read_kind(path) if is_there(path) else None
        return record

    def write_profile(self, profile: Profile) -> None:
        """Writes the machine that budgets of latency were held to on."""
        self._write(PROFILE, profile.text().encode())

    def profile(self) -> Profile | None:
        """The machine of this run's budgets; None where there are none of latency."""
        path = self.path / PROFILE
        return read_profile(path) if is_there(path) else None

    def history(self, stage: str) -> list[dict[str, Any]]:
        """The records of a stage; raises DiagnosticError where they cannot be read."""
        return read_history(self.path / HISTORY, stage)

    def begin_history(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Writes the records of this stage anew; those of others stay.

        Lines that cannot be read go: a run that was killed may have left one that is cut short.
        """
        others: list[str] = []
        if is_there(self.path / HISTORY):
            text = read_bytes(self.path / HISTORY, LONGEST_HISTORY).decode(errors="replace")
            others = [line + "\n" for line in text.split("\n") if self._is_of_another(line)]
        own = [line_of(self.stage, r) for r in records]
        self._write(HISTORY, "".join(others + own).encode())

    def _is_of_another(self, line: str) -> bool:
        try:
            records = read_lines(line, HISTORY)
        except DiagnosticError:
            return False
        return any(record["stage"] != self.stage for record in records)

    def begin_search(self) -> None:
        """Removes what an earlier run left here that would seem to belong to a new search."""
        for name in (*outdated("search"), PARTS, ENSEMBLE_FOLDER):
            remove(self.path / name)
        self._write(HISTORY, b"")

    def begin_training(self) -> None:
        """Removes what was measured of weights that stood here before."""
        for name in outdated("train"):
            remove(self.path / name)

    def append_history(self, record: Mapping[str, Any]) -> None:
        """Adds a record of this stage."""
        try:
            with (self.path / HISTORY).open("a", encoding="utf-8") as stream:
                stream.write(line_of(self.stage, record))
        except OSError as error:
            raise fail("E504", f"cannot write `{HISTORY}`: {error.strerror}") from None

    def write_spec(self, name: str, spec: Spec) -> None:
        self._write(name, str(spec).encode())

    def write_genotype(
        self, genotype: Spec, settings: Settings | None, name: str = GENOTYPE
    ) -> None:
        """Writes a genotype, and beside it the settings that it was trained with, if any."""
        beside = Path(name).with_suffix(".toml").name
        remove(self.path / beside)
        if settings is None:
            self.write_spec(name, genotype)
            return
        self._write(beside, settings.to_toml(KEPT).encode())
        self._write(name, f"{stated(self.path / beside)}\n{genotype}".encode())

    def write_tensors(self, name: str, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._write(name, save(dict(tensors)))

    def _write(self, name: str, content: bytes) -> None:
        make_folder(self.path, parents=True)
        write_file(self.path / name, content)
