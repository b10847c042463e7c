"""What the README and the documents show is true: specifications check, names and options exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module

import pytest
import typer

import fusewright as fw
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.target import file_targets
from tests.support.application import app

from ..support.paths import ROOT

README, DEPLOYMENT = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/deployment.md")
)
BOTH = {"README": README, "deployment": DEPLOYMENT}
SPECIFICATION, OPERATION = re.findall(r"```fuse\n(.*?)```", README, re.DOTALL)
OPTIONS = {
    name: {option for parameter in command.params for option in parameter.opts}
    for name, command in vars(typer.main.get_command(app))["commands"].items()
}
"""The options of every command."""


def test_the_first_specification_is_a_search_space() -> None:
    spec = fw.loads(SPECIFICATION)
    assert isinstance(spec, Spec)
    assert not fw.check(spec)
    assert len(spec.cells) == 1


def test_the_operation_of_ones_own_works_in_it() -> None:
    definitions = parse(OPERATION).definitions
    text = f"{SPECIFICATION}\n{OPERATION}".replace("pool Sum,", f"pool {definitions[0].name}, Sum,")
    assert not fw.check(fw.loads(text))


@pytest.mark.parametrize("document", BOTH.values(), ids=BOTH)
def test_every_name_of_the_api_is_there(document: str) -> None:
    shown = set(re.findall(r"\bfw\.(\w+)", document))
    assert shown
    for name in (*shown, *fw.__all__):
        assert getattr(fw, name) is not None


@pytest.mark.parametrize("document", BOTH.values(), ids=BOTH)
def test_every_command_has_the_options_that_are_shown(document: str) -> None:
    lines = re.findall(r"^fusewright (.*?)(?:   *.*)?$", document, re.MULTILINE)
    assert lines
    for shown in (part for line in lines for part in line.split(" · ")):
        command, *arguments = shown.split()
        assert {a for a in arguments if a.startswith("-")} <= OPTIONS[command], shown


@pytest.mark.parametrize("document", BOTH.values(), ids=BOTH)
def test_every_option_in_the_text_is_one_of_a_command(document: str) -> None:
    """Of any: which command is meant, the text alone says."""
    prose = re.sub(r"^```.*?^```$", "", document, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(--[a-z][\w-]*)", prose)) <= set().union(*OPTIONS.values())


def names(code: str) -> Iterator[str]:
    """The dotted names of modules, and what is taken from them, in an example."""
    tree = ast.parse(code)
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            base, _, rest = ast.unparse(node).partition(".")
            if base in modules and all(part.isidentifier() for part in rest.split(".")):
                yield f"{modules[base]}.{rest}"


@pytest.mark.parametrize("document", BOTH.values(), ids=BOTH)
def test_what_examples_take_from_modules_is_there(document: str) -> None:
    found = [
        n for code in re.findall(r"```python\n(.*?)```", document, re.DOTALL) for n in names(code)
    ]
    assert found
    for name in found:
        module, _, attribute = name.rpartition(".")
        if module != "model":  # what `compile` wrote
            assert hasattr(import_module(module), attribute), name


def test_deployment_names_every_kind_of_file() -> None:
    for target in file_targets().values():
        assert f"-o model{target.ending}" in DEPLOYMENT
