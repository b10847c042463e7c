"""Modules of the Python target: what each keeps under which names, and the text of its class."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...program.program import ParameterSpec
from .terms import Node, called, literal, quoted
from .text import GLOBAL, INDENT, WIDTH, Names, docstring, statement

MODULE_NAMES = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda
    double dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter
    get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu
    zero_grad
    """.split()
)
"""Attributes of `nn.Module`, under which it keeps nothing else."""
_TRAIN = [
    "    def train(self, mode: bool = True) -> Self:",
    '        """Sets the mode, also where a part has the name `training`."""',
    '        object.__setattr__(self, "training", mode)',
    "        for module in self.children():",
    "            module.train(mode)",
    "        return self",
]
UNIFORM = [
    "def uniform(bound: float, *sizes: int) -> nn.Parameter:",
    '    """A parameter that starts uniform in ±bound."""',
    "    return nn.Parameter(torch.empty(sizes).uniform_(-bound, bound))",
]


def is_plain(name: str) -> bool:
    """Whether a module can keep something as `self.name`, and under just this name."""
    written = name.isidentifier() and unicodedata.normalize("NFKC", name) == name
    free = not keyword.iskeyword(name) and name not in MODULE_NAMES
    return written and free and not name.startswith("_")


@dataclass
class Members:
    """What a module keeps, by the names of `state_dict`, and how each is made.

    NOTE: a name that `nn.Module` refuses goes into the dictionary that it would have put it in.
    """

    parameters: dict[str, Node] = field(default_factory=dict[str, Node])
    statistics: dict[str, Node] = field(default_factory=dict[str, Node])
    modules: dict[str, Node] = field(default_factory=dict[str, Node])

    def declare(self, spec: ParameterSpec, sizes: str | None = None) -> None:
        """Adds a parameter or statistic under its own name; `sizes` may be a variable."""
        members = self.statistics if spec.kind == "statistic" else self.parameters
        members[own_name(spec)] = _initial(spec, sizes)

    def parameter(self, name: str) -> str:
        """How a parameter or statistic is read."""
        return self._at("_parameters" if name in self.parameters else "_buffers", name)

    def module(self, name: str) -> str:
        """How a module is read."""
        return self._at("_modules", name)

    def _at(self, kind: str, name: str) -> str:
        kinds = (self.parameters, self.statistics, self.modules)
        if is_plain(name) and sum(name in some for some in kinds) == 1:
            return f"self.{name}"
        return f"self.{kind}[{quoted(name)}]"

    def init(self, formals: str = "self") -> list[str]:
        """The method `__init__`; nothing where nothing is kept."""
        lines: list[str] = []
        for name, value in self.parameters.items():
            lines += statement(value, {}, f"{self.parameter(name)} = ")
        for name, value in self.statistics.items():
            place = self.parameter(name)
            if "[" in place:
                lines += statement(value, {}, f"{place} = ")
            else:
                lines += statement(called("self.register_buffer", quoted(name), value), {})
        for name, value in self.modules.items():
            lines += statement(value, {}, f"{self.module(name)} = ")
        if not lines:
            return []
        start = [f"    def __init__({formals}) -> None:", "        super().__init__()"]
        return start + lines

    def class_lines(self, doc: Sequence[str], *methods: Sequence[str]) -> list[str]:
        """The lines of a class below its head; a method without lines is left out."""
        typed = [n for n in self.statistics if self.parameter(n) == f"self.{n}"]
        parts = [docstring(doc), [f"    {name}: Tensor" for name in typed], *map(list, methods)]
        if any(
            "training" in members for members in (self.parameters, self.statistics, self.modules)
        ):
            parts.append(_TRAIN)
        lines: list[str] = []
        for part in filter(None, parts):
            lines += ["", *part] if lines else part
        return lines


def own_name(spec: ParameterSpec) -> str:
    """A parameter's name in the module that keeps it."""
    return spec.name.rpartition(".")[2]


def _initial(spec: ParameterSpec, variable: str | None) -> Node:
    sizes = [variable] if variable else [str(size) for size in spec.sizes]
    if isinstance(spec.initial, str):
        return called("uniform", repr(spec.bound), *sizes)
    if spec.initial in (0, 1):
        value = called("torch.ones" if spec.initial else "torch.zeros", *sizes)
    else:
        value = called("torch.full", variable or literal(spec.sizes), literal(spec.initial))
    return value if spec.kind == "statistic" else called("nn.Parameter", value)


def signature(head: str, formals: Sequence[str], indent: int = INDENT) -> list[str]:
    """The first lines of a function that gives a tensor; `head` ends in its name."""
    margin = " " * indent
    line = f"{margin}{head}({', '.join(formals)}) -> Tensor:"
    if len(line) <= WIDTH:
        return [line]
    listed = [f"{margin}{' ' * INDENT}{formal}," for formal in formals]
    return [f"{margin}{head}(", *listed, f"{margin}) -> Tensor:"]


def forward(formals: Sequence[str], lines: Sequence[str]) -> list[str]:
    """The method `forward` over tensors."""
    return [*signature("def forward", ["self", *tensors(formals)]), *lines]


def tensors(formals: Sequence[str]) -> list[str]:
    """Formal parameters that are tensors."""
    return [f"{formal}: Tensor" for formal in formals]


@dataclass
class Definitions:
    """The classes and functions of a file, each text once for a name, in the order of adding."""

    texts: list[list[str]] = field(default_factory=list[list[str]])
    _names: Names = field(default_factory=lambda: Names(set(GLOBAL)))
    _known: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])
    _named: list[str] = field(default_factory=list[str])

    def add_class(self, preferred: str, body: Sequence[str]) -> str:
        """The name of the class with this body, which is the preferred one if it is free."""
        return self._add(preferred, lambda name: [f"class {name}(nn.Module):", *body])

    def add_function(self, preferred: str, formals: Sequence[str], body: Sequence[str]) -> str:
        """The name of the function of tensors with this body."""
        return self._add(
            preferred, lambda name: [*signature(f"def {name}", tensors(formals), 0), *body]
        )

    def _add(self, preferred: str, text: Callable[[str], list[str]]) -> str:
        key = (preferred, *text(""))
        if key not in self._known:
            self._known[key] = name = self._names.local(preferred)
            self.texts.append(text(name))
        return self._known[key]

    def named(self, name: str, module: str) -> Node:
        """A module of a class, under a name of its own."""
        self._named.append(name)
        return called("Named", quoted(name), called(module))

    def all(self) -> list[list[str]]:
        """Their lines, after those of what they have in common."""
        texts: list[list[str]] = []
        if any("uniform(" in line for text in self.texts for line in text):
            texts.append(UNIFORM)
        if self._named:
            texts.append(["class Named(nn.Module):", *_named(self._named)])
        return texts + self.texts


def _named(names: Sequence[str]) -> list[str]:
    plain = all(is_plain(name) for name in names)
    added = "self.add_module(name, module)" if plain else "self._modules[name] = module"
    init = [
        "    def __init__(self, name: str, module: nn.Module) -> None:",
        "        super().__init__()",
        f"        {added}",
    ]
    lines = ["        (module,) = self.children()", "        return module(*inputs)"]
    run = ["    def forward(self, *inputs: Tensor) -> Tensor:", *lines]
    members = Members(modules={name: Node("atom", "") for name in names if name == "training"})
    return members.class_lines(["A module under the name that its weights have."], init, run)
