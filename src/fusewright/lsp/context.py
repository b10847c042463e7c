"""What can stand at the end of an incomplete text, by its tokens alone.

NOTE: the grammar has no say here, since a text that is being written rarely follows it. The tokens
are read once with a stack of the brackets that are open, which is enough to tell the slots apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from ..compiler.language.nodes import BUDGETS, STATEMENTS

Place = Literal[
    "nothing",
    "statement",
    "library",
    "operation",
    "number",
    "setting",
    "header",
    "axis",
    "size",
    "modality_option",
    "feature_option",
    "cell_input",
    "cell_candidate",
    "step_start",
    "step_operation",
    "step_input",
    "step_candidate",
    "returned",
    "output",
    "requirement",
    "comparison",
    "budget_option",
    "head_input",
    "loss",
    "kind",
    "role",
    "role_for",
    "modality",
    "expression",
    "weight_size",
]
"""The slots of the language. `setting` is a parameter of an operation by its name."""
_TOKEN = re.compile(
    r'#[^\n]*|"(?:\\.|[^"\\\n])*"?|`[^`\n]*`?|[^\W\d]\w*|[0-9][\w.]*|<=|\S', re.DOTALL
)
_WORD = re.compile(r"[^\W\d]\w*|`[^`\n]*`?")
COUNT = re.compile(r"[0-9]{1,9}")
_TAKES_NAME = {*STATEMENTS, "for", "return", "from", "at"}


@dataclass(frozen=True, slots=True)
class Bracket:
    """An open bracket; `owner` is the name before it, `at` the number of tokens up to it."""

    char: str
    owner: str
    at: int


@dataclass
class CursorContext:
    """What is known at the end of a text.

    `start` is where the word begins that is being written. `cells` are the Cells before this
    place, each with the text of its count; `inputs` and `steps` are those of the Cell around it,
    an input without a name being None; `formals` are the names of the equation around it;
    `operation` is the one whose arguments are being written, `given` the names in them.
    """

    start: int
    place: Place = "statement"
    cells: list[tuple[str, str | None]] = field(default_factory=list[tuple[str, str | None]])
    inputs: list[str | None] = field(default_factory=list[str | None])
    steps: list[tuple[str, str | None]] = field(default_factory=list[tuple[str, str | None]])
    formals: list[str] = field(default_factory=list[str])
    operation: str = ""
    given: tuple[str, ...] = ()


def context_of(text: str, offset: int) -> CursorContext:
    """The context at an offset; of what follows it nothing is read."""
    tokens = [(m.group(), m.start()) for m in _TOKEN.finditer(text, 0, offset)]
    start = offset
    if tokens and tokens[-1][1] + len(tokens[-1][0]) == offset:
        last, begin = tokens[-1]
        if last[0] in '#"' and not (last[0] == '"' and len(last) > 1 and last.endswith('"')):
            return CursorContext(offset, "nothing")
        if _WORD.fullmatch(last):
            start = begin
            tokens.pop()
        elif last[0].isdigit():
            return CursorContext(offset, "nothing")
    elif tokens and tokens[-1][0][0] == "#" and "\n" not in text[tokens[-1][1] : offset]:
        return CursorContext(offset, "nothing")
    reader = _Reader(CursorContext(start))
    for token, begin in tokens:
        if token[0] != "#":
            reader.read(token, begin == 0 or text[begin - 1] == "\n")
    return reader.finish()


class _Reader:
    """Follows tokens through statements and brackets."""

    def __init__(self, context: CursorContext) -> None:
        self.context = context
        self.statement = ""
        self.tokens: list[str] = []
        self.stack: list[Bracket] = []

    def read(self, token: str, first: bool) -> None:
        """Takes a token in; a keyword that is `first` on its line closes what was left open."""
        if token in STATEMENTS and (first or self._begins()):
            self.stack = []
            self._begin(token)
            return
        self.tokens.append(token)
        if token in "([{":
            self._open(token)
        elif token in ")]}" and self.stack:
            self._close(token)
        else:
            self._name(token)

    def _begins(self) -> bool:
        """Whether a statement may begin here: outside of brackets, and no name is due."""
        return not self.stack and not self._is_due()

    def _is_due(self) -> bool:
        return bool(self.tokens) and (
            self.tokens[-1] in _TAKES_NAME or self.tokens[-1] in (*",=+-*/@<.", "<=")
        )

    def _begin(self, keyword: str) -> None:
        self.statement, self.tokens = keyword, [keyword]
        context = self.context
        context.inputs, context.steps, context.formals = [], [], []

    def _open(self, char: str) -> None:
        before = self._before(2)
        owner = before if _WORD.fullmatch(before) else ""
        if owner and self._before(3) == ".":
            owner = f"{self._before(4)}.{owner}"
        if self.statement == "cell" and char == "(" and not self.stack:
            self.context.inputs.append(None)
        self.stack.append(Bracket(char, owner.replace("`", ""), len(self.tokens)))

    def _close(self, token: str) -> None:
        opened = self.stack.pop()
        if not self.stack and token == "}" and self._holds_items(opened):
            self.statement, self.tokens = "", []
        elif self.statement == "cell" and token == "]":
            count = self._count(self.tokens[opened.at : -1])
            if not self.stack and self.context.cells:
                self.context.cells[-1] = (self.context.cells[-1][0], count)
            elif self._depth() == "{" and self.context.steps:
                self.context.steps[-1] = (self.context.steps[-1][0], count)
        elif opened.char == "(" and self.context.inputs == [None] and self._before(2) == "(":
            self.context.inputs = []

    def _holds_items(self, opened: Bracket) -> bool:
        """Whether a brace is that of a statement's items, and no hole of a role."""
        is_hole = self.tokens[opened.at - 2] == "="
        return not is_hole and self.statement in ("modality", "cell", "op", "role")

    def _count(self, inside: list[str]) -> str:
        """The count that brackets hold; of an open one the largest candidate."""
        numbers = [token for token in inside if COUNT.fullmatch(token)]
        return max(numbers, key=int) if numbers else "".join(inside)

    def _name(self, token: str) -> None:
        """Remembers what a token declares."""
        context, depth, previous = self.context, self._depth(), self._before(2)
        plain = token.strip("`")
        if self.statement == "cell":
            if not self.stack and previous == "cell":
                context.cells.append((plain, None))
            elif depth == "(" and token == ",":
                context.inputs.append(None)
            elif depth == "(" and token == "=" and context.inputs:
                context.inputs[-1] = previous.strip("`")
            elif depth == "{" and _WORD.fullmatch(token) and self._starts_step():
                context.steps.append((plain, None))
        elif self.statement in ("op", "role") and _WORD.fullmatch(token):
            declares = depth == "(" and not self._has_body()
            if declares:
                context.formals.append(plain)
        if token == "=" and depth == "{" and self.statement in ("op", "role"):
            context.formals.append(previous.strip("`"))

    def _has_body(self) -> bool:
        """Whether the equation of a definition has begun: its inputs are closed."""
        return ")" in self.tokens

    def _starts_step(self) -> bool:
        return self._before(2) in ("{", ")") and self._before(1) != "return"

    def _before(self, back: int) -> str:
        return self.tokens[-back] if len(self.tokens) >= back else ""

    def _depth(self) -> str:
        return "".join(b.char for b in self.stack)

    # The end of the text

    def finish(self) -> CursorContext:
        context = self.context
        context.place = self._place()
        if self.stack:
            inside = self.tokens[self.stack[-1].at :]
            context.operation = self.stack[-1].owner
            context.given = tuple(
                name.strip("`") for name, following in pairwise(inside) if following == "="
            )
        if context.place in ("operation", "step_operation"):
            context.operation = self._before(2) if self._before(1) == "." else ""
        if context.place in ("cell_input", "cell_candidate") and context.cells:
            context.cells = context.cells[:-1]
        return context

    def _place(self) -> Place:
        depth, last = self._depth(), self.tokens[-1] if self.tokens else ""
        if self.statement == "cell":
            return self._in_cell(depth, last)
        if self.statement in ("op", "role"):
            return self._in_definition(depth, last)
        if self.statement == "modality":
            return self._in_modality(depth, last)
        if self.statement == "network":
            if depth:
                return "header" if depth == "(" and last in ("(", ",") else "nothing"
            return "nothing" if len(self.tokens) < 3 else "statement"
        return self._in_list(depth, last)

    def _in_list(self, depth: str, last: str) -> Place:
        """In a statement of names with commas, or of a name alone."""
        due = last in (self.statement, ",", ".")
        match self.statement:
            case "use":
                return "library" if due else "statement"
            case "pool":
                if depth:
                    return "number" if last == "=" else "setting"
                return "operation" if due else "statement"
            case "output":
                return "output" if due or last in ("{", "|") else "statement"
            case "require":
                if last in ("<", "<="):
                    return "nothing"
                if due:
                    return "requirement"
                if last in BUDGETS:
                    return "comparison"
                if last == "on":
                    return "nothing"
                return "budget_option" if self._limits_latency() else "statement"
            case "predict":
                return self._in_predict(depth, last, due)
            case "fuse":
                return "nothing" if due else "statement"
            case _:
                return "statement"

    def _in_predict(self, depth: str, last: str, due: bool) -> Place:
        """In a head: what it reads and its settings, its size, and the kind of what it predicts."""
        if depth == "(":
            if last == "=":
                return "loss" if self._before(2) == "loss" else "number"
            return "head_input" if last in ("(", ",") else "nothing"
        if depth:
            return "nothing"
        if due or last == ")":
            return "number"
        is_size = len(self.tokens) == 2 or self._before(2) == ")" or last[0].isdigit()
        return "kind" if is_size else "statement"

    def _limits_latency(self) -> bool:
        """Whether the tokens are those of `require latency < 2ms`, with or without a space."""
        return self.tokens[1:2] == ["latency"] and 3 < len(self.tokens) < 6

    def _in_modality(self, depth: str, last: str) -> Place:
        if depth == "{[":
            return "axis" if last in ("[", ",") else "size"
        if depth == "{":
            return "feature_option" if last == "]" or _WORD.fullmatch(last) else "nothing"
        return "nothing" if last in ("modality", "from") else "modality_option"

    def _in_cell(self, depth: str, last: str) -> Place:
        match depth:
            case "[" | "{[":
                return "number"
            case "(":
                return "cell_input" if last in ("(", ",", "=") else "nothing"
            case "({":
                return "cell_candidate" if last in ("{", "|") else "nothing"
            case "{":
                return self._in_cell_body(last)
            case "{{" | "{(":
                return self._in_step(depth, last)
            case "{{(":
                return "number" if last == "=" else "setting"
            case "{({":
                return "step_candidate" if last in ("{", "|") else "nothing"
            case _:
                return "nothing"

    def _in_cell_body(self, last: str) -> Place:
        if last == "return" or (last == "," and "return" in self.tokens):
            return "returned"
        if last in ("=", "."):
            return "step_operation"
        return "step_start" if last in ("{", ")") else "nothing"

    def _in_step(self, depth: str, last: str) -> Place:
        if depth == "{{":
            return "operation" if last in ("{", "|", ".") else "nothing"
        if last == "=":
            return "number"
        return "step_input" if last in ("(", ",") else "nothing"

    def _in_definition(self, depth: str, last: str) -> Place:
        if last in ("op", "role"):
            return "role" if last == "role" else "nothing"
        if last == "for":
            return "modality"
        if not self._has_body():
            return "nothing"
        if depth.endswith("["):
            return "weight_size"
        if depth == "{" and self.tokens[self.stack[0].at - 2] == "=":
            return "operation" if last in ("{", "|", ".") else "nothing"
        if last in (*"=+-*/@(,.", "return"):
            return "expression"
        if depth:
            return "step_start" if depth == "{" and last in "{;)]" else "nothing"
        return "role_for" if self.statement == "role" and last == ")" else "statement"
