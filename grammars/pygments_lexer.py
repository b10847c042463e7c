"""Pygments colours Fuse: documents and notebooks find `FuseLexer` under the name `fuse`.

NOTE: the rules are those of `fuse.tmLanguage.json`, read from it. Its patterns look at one line and
are written in what Python's expressions and TextMate's have in common. A keyword is one only
where it can stand, so a pattern says what follows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pygments import lexer
from pygments.token import Token

from . import read

_bygroups: Any = lexer.bygroups
_TYPES: Mapping[str, Any] = {
    "comment.line.number-sign": Token.Comment.Single,
    "constant.numeric": Token.Literal.Number,
    "entity.name.function": Token.Name.Function,
    "entity.name.namespace": Token.Name.Namespace,
    "entity.name.type": Token.Name.Class,
    "keyword.control": Token.Keyword,
    "keyword.operator": Token.Operator,
    "keyword.other.hole": Token.Keyword.Pseudo,
    "punctuation": Token.Punctuation,
    "string.quoted.double": Token.Literal.String.Double,
    "variable.language": Token.Name.Builtin.Pseudo,
    "variable.other": Token.Name,
    "variable.other.definition": Token.Name.Variable,
}


def token_type(scope: str) -> Any:
    """The token type of a scope such as `keyword.control.fuse`."""
    return _TYPES[scope.removesuffix(".fuse")]


def _rules() -> list[tuple[str, Any]]:
    """White space, and every pattern of the TextMate grammar, the first that fits first."""
    patterns = json.loads(read("fuse.tmLanguage.json"))["patterns"]
    space = Token.Text.Whitespace
    return [(r"[\s\ufeff]+", space), *((p["match"], _action(p, space)) for p in patterns)]


def _action(pattern: Mapping[str, Any], space: Any) -> Any:
    """The type of a pattern, or those of its groups; a group without a scope is a gap."""
    if "name" in pattern:
        return token_type(pattern["name"])
    captures = pattern["captures"]
    types = {int(group): token_type(scope["name"]) for group, scope in captures.items()}
    return _bygroups(*(types.get(group, space) for group in range(1, max(types) + 1)))


class FuseLexer(lexer.RegexLexer):
    """Fuse: specifications of multimodal fusion networks and of what is to be found in them."""

    name = "Fuse"
    aliases = ("fuse",)
    filenames = ("*.fuse",)
    mimetypes = ("text/x-fuse",)

    tokens = {"root": _rules()}  # noqa: RUF012  (as RegexLexer declares it)
