"""Which backbones may be opened, with what weights: said by who runs them, by no specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from os import PathLike, fspath
from pathlib import Path
from typing import Any, cast

from ...compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ...compiler.documents.records import TableKind, read_table
from ...compiler.language.spec import Spec
from ...compiler.system.files import is_file, read_text
from ...compiler.system.options import option

LONGEST_OPTIONS = 1_000_000
"""Characters of a file of options."""
_KIND = TableKind("E506", "is not TOML", 'write lines such as `pretrained = ["…=…"]`')
_LOADING = ("extract", "train", "evaluate", "predict")
_OPENING = ("inspect", "compile", *_LOADING)


@dataclass(frozen=True, kw_only=True)
class BackboneOptions:
    """What a specification may not say by itself: code that is imported, files, the network.

    `backbone` are `NAME=package.module:factory`, each of which `from "module:NAME"` may then name.
    `pretrained` are `PROVIDER:MODEL=FILE`. Without a file, weights come from where the library
    keeps those that it has downloaded; from the network with `download` alone; and are random with
    `initial`. Raises DiagnosticError for a text that is neither.
    """

    backbone: tuple[str, ...] = option(
        (),
        "A function that makes a backbone, for `module:NAME`; it is imported.",
        read_by=_OPENING,
        metavar="NAME=MODULE:FUNCTION",
        type=list[str],
    )
    pretrained: tuple[str, ...] = option(
        (),
        "A backbone's weights.",
        read_by=("compile", *_LOADING),
        metavar="PROVIDER:MODEL=WEIGHTS",
        type=list[str],
    )
    initial: bool = option(
        False, "Begin with random weights where none are given.", read_by=_LOADING
    )
    download: bool = option(
        False, "Let libraries download the weights that they publish.", read_by=_OPENING
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not _fits(value, item.default):
                expected = "true or false" if isinstance(item.default, bool) else "a list of texts"
                message = f"the option `{item.name}` of backbones is not {expected}"
                raise fail("E506", message)
        _ = self.factories, self.weights

    @property
    def factories(self) -> Mapping[str, str]:
        """`package.module:factory` by the name that a specification may say."""
        pairs = _pairs(self.backbone, "backbone", "NAME=package.module:factory")
        for place in pairs.values():
            module, _, name = place.partition(":")
            if not (name and all(part.isidentifier() for part in (*module.split("."), name))):
                message = f"`{place}` does not name a function of a module"
                raise fail("E506", message, help="write `NAME=package.module:function`")
        return pairs

    @property
    def weights(self) -> Mapping[str, str]:
        """Files of weights by `PROVIDER:MODEL`."""
        return _pairs(self.pretrained, "pretrained", "PROVIDER:MODEL=FILE")

    def with_options(self, **options: Any) -> BackboneOptions:
        """These options with those that are given; what is listed is added."""
        given = {name: value for name, value in options.items() if value is not None}
        known = {item.name: getattr(self, item.name) for item in fields(self)}
        added: dict[str, Any] = {
            name: (*known[name], *value) if isinstance(known[name], tuple) else value
            for name, value in given.items()
        }
        return BackboneOptions(**{**known, **added})

    def with_trained(self, spec: Spec, file: Path) -> BackboneOptions:
        """These options, with the weights of a file for backbones of which they give none.

        It is that of a joint training; where it is not there, nothing changes.
        """
        if not is_file(file):
            return self
        named = dict.fromkeys(m.backbone for m in spec.modalities if m.backbone is not None)
        missing = [name for name in named if name not in self.weights]
        return self.with_options(pretrained=[f"{name}={file}" for name in missing])


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    texts = cast("Sequence[Any]", value)
    return isinstance(value, tuple) and all(isinstance(text, str) for text in texts)


def _pairs(texts: Sequence[str], option: str, form: str) -> dict[str, str]:
    """The texts after `=` by those before the last one; raises DiagnosticError."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise fail("E506", f"`{text}` is no value of `{option}`", help=f"write `{form}`")
        if name in pairs:
            raise fail("E506", f"`{option}` says twice what `{name}` is", help="keep one of them")
        pairs[name] = value
    return pairs


def read_options(path: str | PathLike[str]) -> BackboneOptions:
    """The options in a TOML file; raises DiagnosticError where it cannot be used.

    `download` is none of them: a file does not open the network.
    """
    name, text = fspath(path), read_text(path)
    if len(text) > LONGEST_OPTIONS:
        raise _KIND.wrong(name, f"it is longer than {LONGEST_OPTIONS:,} characters")
    values = read_table(text, name, _KIND)
    known = [item.name for item in fields(BackboneOptions)]
    for key in values:
        if key not in known:
            remedy = did_you_mean(key, known) or f"options are {one_of(known)}"
            raise fail("E506", f"unknown option `{key}` of backbones", help=remedy)
    if "download" in values:
        message = f"`{name}` says `download`, which a command line alone does"
        raise fail("E506", message, help="leave it out, and give `--download`")
    given = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    return BackboneOptions().with_options(**given)
