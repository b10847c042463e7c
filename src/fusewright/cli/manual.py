"""The manual page: the tree of commands as roff, for `man` and `groff -man`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_CODES = (
    ("\\", "\\e"),
    ("-", "\\-"),
    ("`", "\\(ga"),
    ("'", "\\(aq"),
    ("^", "\\(ha"),
    ("~", "\\(ti"),
)
EXIT_STATUS = (
    ("0", "Done."),
    ("1", "Diagnostics, or a check that failed."),
    ("2", "Wrong usage."),
)


def manual(tree: Any, version: str) -> str:
    """The page of a command with all the commands under it; in ASCII, the same for one version."""
    name = tree.name
    lines = [
        f'.TH {name.upper()} 1 "" "{name} {version}" "User Commands"',
        *(".SH NAME", f"{name} \\- {_text(tree.help.rstrip('.'))}"),
        *(".SH SYNOPSIS", f".B {name}", _text("COMMAND [OPTION…] [ARGUMENT…]")),
        *(".SH OPTIONS", *_options(tree)),
        ".SH COMMANDS",
    ]
    for words, command in _commands(tree, name):
        lines += [f".SS {_quoted(_text(_usage(words, command)))}", *_paragraphs(command.help)]
        lines += _options(command)
    lines.append(".SH EXIT STATUS")
    for status, meaning in EXIT_STATUS:
        lines += _item(f"\\fB{status}\\fR", meaning)
    return "\n".join(lines) + "\n"


def _commands(group: Any, before: str) -> Iterator[tuple[str, Any]]:
    """The commands of a group, and of the groups in it, by the words that call them."""
    for name, command in group.commands.items():
        words = f"{before} {name}"
        if hasattr(command, "commands"):
            yield from _commands(command, words)
        else:
            yield words, command


def _usage(words: str, command: Any) -> str:
    """The call of a command: its arguments, and the options that it can't do without."""
    parameters = [p for p in command.params if p.param_type_name == "argument" or p.required]
    shown = [_metavar(p) if p.param_type_name == "argument" else _call(p) for p in parameters]
    return " ".join((words, *shown))


def _options(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            yield from _item(f"\\fI{_text(_metavar(parameter))}\\fR", parameter.help)
        elif not parameter.hidden:
            yield from _item(_text(_call(parameter)), parameter.help)


def _call(option: Any) -> str:
    """An option as it is given: its names, and what stands for its value."""
    names = ", ".join((*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} {_metavar(option)}"


def _metavar(parameter: Any) -> str:
    """What stands for a value."""
    return str(parameter.metavar or parameter.name.upper().replace("_", "-"))


def _item(term: str, said: str | None) -> Iterable[str]:
    return (".TP", term, _text(said or ""))


def _paragraphs(text: str | None) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", (text or "").strip()):
        yield ".PP"
        yield _text(" ".join(paragraph.split()))


def _text(text: str) -> str:
    """A text as roff prints it, in ASCII; no line of it is a request."""
    for character, code in _CODES:
        text = text.replace(character, code)
    text = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in text)
    return f"\\&{text}" if text.startswith(".") else text


def _quoted(text: str) -> str:
    quoted = text.replace('"', "\\(dq")
    return f'"{quoted}"'
