"""Equations of operations as LaTeX and as MathML."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from fusewright.compiler.language.nodes import Definition, name_problem
from fusewright.compiler.network.vocabulary import library, library_names
from fusewright.compiler.syntax.parse import parse
from fusewright.compiler.targets.latex import definition_equations, definition_latex
from fusewright.compiler.targets.mathml import definition_mathml
from fusewright.compiler.tools.operations import equations_of, latex_table
from fusewright.ops.primitive import primitives

CORE = frozenset("math mrow mi mn mo msub msup mfrac msqrt mtable mtr mtd".split())
ATTRIBUTES = frozenset("display displaystyle form mathvariant rspace style".split())
HOSTILE = (
    "</math><script>alert('1')</script>",
    '" onload="alert(1)',
    "&amp;",
    "50% of_$#{x}^~\\|",
    "\\input{/etc/passwd}",
    "$}{\\end{tabular}",
    "\\\\",
    "%",
    "^",
    "é",
    "α",
)


def definitions() -> list[Definition]:
    """The operations and roles of every library."""
    libraries = [library(name) for name in library_names()]
    return [
        d
        for v in libraries
        for d in (*(d for same in v.operations.values() for d in same), *v.roles)
    ]


def operation(text: str) -> Definition:
    return parse(text).definitions[0]


def equation(text: str) -> str:
    """The LaTeX of an expression over x, y, z and the rest s."""
    return definition_equations(operation(f"op A(x, y, z, *s) = {text}"))[-1][1]


def shown(definition: Definition) -> str:
    """The text of the MathML, which is well-formed and holds nothing but what it may."""
    root = ElementTree.fromstring(definition_mathml(definition))
    assert root.tag == "math"
    assert root.get("display") == "block"
    for element in root.iter():
        assert element.tag in CORE
        assert element.attrib.keys() <= ATTRIBUTES
        if element.tag in ("mfrac", "msub", "msup"):
            assert len(element) == 2
        if element.tag not in ("mi", "mn", "mo"):
            assert not element.text
        assert not element.tail
    return "".join(root.itertext())


def assert_balanced(latex: str) -> None:
    """Braces, `\\left` with `\\right`, and outside of formulas nothing that has to be escaped."""
    depth = 0
    bare = re.sub(r"\\[^A-Za-z]", "", latex)
    for brace in re.findall("[{}]", bare):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left\b", bare)) == len(re.findall(r"\\right\b", bare))
    assert bare.count("$") % 2 == 0
    assert not re.search("[_%#^~$<>|]", re.sub(r"\$[^$]*\$", "", bare))


@pytest.mark.parametrize("definition", definitions(), ids=lambda d: d.name)
def test_every_operation_is_an_equation(definition: Definition) -> None:
    text = shown(definition)
    assert definition.name in text
    assert all(name in text for name in definition.inputs)
    assert "\\" not in text
    assert_balanced(f"${definition_latex(definition)}$")


@pytest.mark.parametrize("name", [p.name for p in primitives().values() if p.public])
def test_every_primitive_is_read_from_its_template(name: str) -> None:
    inputs = ", ".join("xyz"[: max(1, primitives()[name].inputs[0])])
    text = shown(operation(f"op A(x, y, z) = {name}({inputs})"))
    assert not set(text) & set("\\{}^_\0")


# Where brackets stand


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + (y + z)", "x + y + z"),
        ("x - (y - z)", r"x - \left(y - z\right)"),
        ("x - y + z", "x - y + z"),
        ("x + -y", r"x + \left(-y\right)"),
        ("-x + y", "-x + y"),
        ("-(x * y)", r"-x \odot y"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("(x + y) * z", r"\left(x + y\right) \odot z"),
        ("(x + y) / (x - y)", r"\frac{x + y}{x - y}"),
        ("x / y * z", r"\frac{x}{y} \odot z"),
        ("x @ W[C, C] * y", r"x \mathbf{W} \odot y"),
        ("x * y @ W[C, C]", r"\left(x \odot y\right) \mathbf{W}"),
        ("(x + y) @ W[C, C] + b[C]", r"\left(x + y\right) \mathbf{W} + \mathbf{b}"),
        ("dropout(x + y) * z", r"\left(x + y\right) \odot z"),
        ("dropout(x) * z", r"x \odot z"),
        ("relu(x + y) * z", r"\operatorname{ReLU}\left(x + y\right) \odot z"),
        ("abs(x - y)", r"\left|x - y\right|"),
        ("sqrt(x + 1e-05)", r"\sqrt{x + 1 \cdot 10^{-5}}"),
        ("2.0 * x + 1000000", r"2 \odot x + 1000000"),
        ("concat(x, *s)", r"\left[x \,\|\, s_1 \,\|\, \ldots\right]"),
        ("relu(*s)", r"\operatorname{ReLU}\left(s_1\right)"),
        ("max(x, *s, over = (length, channels))",
         r"\max_{\mathrm{length, channels}}\left(x, s_1, \ldots\right)"),
        ("softmax(x, length)", r"\operatorname{softmax}_{\mathrm{length}}\left(x\right)"),
        ("attention(x, y @ K[C, C], x + y)",
         r"\operatorname{softmax}\left(\frac{x \left(y \mathbf{K}\right)^\top}{\sqrt{d}}\right)"
         r" \left(x + y\right)"),
        ("fusion.MHA(x, *s, heads = 2)",
         r"\operatorname{fusion.MHA}\left(x, s_1, \ldots\right)"),
    ],
)  # fmt: skip
def test_brackets_stand_where_a_reader_needs_them(text: str, expected: str) -> None:
    assert equation(text) == expected


def test_brackets_stand_around_what_has_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    cube = replace(primitives()["relu"], name="cube", latex=lambda x: rf"{x}^3")
    tables = {**primitives(), "cube": cube}
    monkeypatch.setattr("fusewright.compiler.targets.latex.primitives", lambda: tables)
    assert equation("cube(x) - y") == "x^3 - y"
    assert equation("cube(cube(x))") == r"\left(x^3\right)^3"
    assert equation("cube(x / y) * cube(x + y)") == (
        r"\left(\frac{x}{y}\right)^3 \odot \left(x + y\right)^3"
    )


@pytest.mark.parametrize(
    "call", ["attention(x)", "attention(*s)", "mean(x, to = 3)", "part(x)", "relu()", "unknown(x)"]
)
def test_a_call_that_no_primitive_takes_is_shown_by_its_name(call: str) -> None:
    name = call.partition("(")[0]
    assert equation(call).startswith(rf"\operatorname{{{name}}}\left(")
    assert name in shown(operation(f"op A(x, *s) = {call}"))


def test_depth_is_no_matter() -> None:
    deep = operation(f"op A(x) = {'attention(x, ' * 90}x{', x)' * 90}")
    assert shown(deep).count("softmax") == 90


# Names are not trusted


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(name: str) -> None:
    assert name_problem(name) is None
    text = f"op `{name}`(x, `{name}`) {{ y = `{name}`(x)\nreturn y @ `{name}`[C, C] + `{name}` }}"
    definition = operation(text)
    assert shown(definition).count(name) == 5
    assert_balanced(f"${definition_latex(definition)}$")
    row = {"library": name, "name": name, "latex": definition_latex(definition)}
    table = latex_table([row]).split("\n", 1)[1]
    assert_balanced(table)
    assert table.count(r"\end{tabular}") == 1


@pytest.mark.parametrize("name", ["\0", "a\x1b[31m", "\x000\0", "\ud800", "\ufffe", "\u202e", ""])
def test_what_cannot_be_printed_is_replaced(name: str) -> None:
    hostile = replace(operation("op A(x) = x"), name=name, inputs=(name,))
    assert "=x" in shown(hostile)
    assert definition_mathml(hostile).isprintable()
    assert definition_latex(hostile).isprintable()


# In full


def test_an_equation_as_mathml() -> None:
    found = definition_mathml(operation("op Gate(x, kv) = sigmoid(x @ W[C, C]) / 2 - kv"))
    kv = '<mi style="font-style: italic">kv</mi>'
    weight = '<mi mathvariant="normal" style="font-weight: bold">W</mi>'
    opening, closing = '<mo form="prefix">(</mo>', '<mo form="postfix">)</mo>'
    assert re.sub(' style="font-family: [^"]*"', "", found) == (
        '<math display="block"><mrow><mrow><mi mathvariant="normal">Gate</mi><mo>&#8289;</mo>'
        f"<mrow>{opening}<mrow><mi>x</mi><mo>,</mo>{kv}</mrow>{closing}</mrow></mrow>"
        '<mo form="infix">=</mo><mrow><mfrac><mrow><mi>σ</mi><mo>&#8289;</mo>'
        f'<mrow>{opening}<mrow><mi>x</mi><mo rspace="0.15em">&#8290;</mo>{weight}</mrow>{closing}'
        f"</mrow></mrow><mn>2</mn></mfrac><mo>−</mo>{kv}</mrow></mrow></math>"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "A(x,s1,…)=x"),
        ("attention(x, x, x)", "A(x,s1,…)=softmax(x×x⊤d)×x"),
        ("concat(x, *s)", "A(x,s1,…)=[x∥s1∥…]"),
        ("mean(x, over = length) + 0.5", "A(x,s1,…)=meanlength(x)+0.5"),
        ("sum(x, *s) @ W[C, C]", "A(x,s1,…)=∑(x,s1,…)×W"),
        ("zeros(x) - abs(-x)", "A(x,s1,…)=0−|−x|"),
    ],
)
def test_the_text_of_mathml(text: str, expected: str) -> None:
    """Without invisible applications, and with a cross for invisible products."""
    found = shown(operation(f"op A(x, *s) = {text}"))
    assert found.replace("\u2061", "").replace("\u2062", "×") == expected


def test_statements_are_rows_that_align() -> None:
    definition = operation("op A(x, y) { g = x * y\nb[1] = ones\nh = g + b\nreturn h / g }")
    assert definition_latex(definition) == (
        r"\begin{aligned} g &= x \odot y \\ h &= g + b"
        r" \\ \operatorname{A}(x, y) &= \frac{h}{g} \end{aligned}"
    )
    root = ElementTree.fromstring(definition_mathml(definition))
    assert ["".join(row.itertext()) for row in root.iter("mtr")] == [
        "g=x⊙y",
        "h=g+b",
        "A\u2061(x,y)=hg",
    ]
    assert [len(row) for row in root.iter("mtr")] == [2, 2, 2]


@pytest.mark.parametrize("what", [None, *library_names()])
def test_the_table_has_a_row_for_each_operation(what: str | None) -> None:
    rows = equations_of(what)
    first, *lines = latex_table(rows).splitlines()
    assert first == r"% needs \usepackage{booktabs, amsmath}"
    assert sum(line.startswith(r"\texttt{") for line in lines) == len(rows)
    assert all(line.endswith(r" \\") or " " not in line for line in lines)
    for line in lines:
        assert line.count(" & ") in (0, 1)
        assert_balanced(line)


def test_the_table_of_a_library() -> None:
    rows = [row for row in equations_of("paper") if row["name"] in ("Zero", "Sum")]
    assert (
        latex_table(rows)
        == r"""% needs \usepackage{booktabs, amsmath}
\begin{tabular}{ll}
\toprule
Operation & Equation \\
\midrule
\multicolumn{2}{l}{\emph{paper}} \\
\texttt{Zero} & $\operatorname{Zero}(x, y) = \mathbf{0}$ \\
\texttt{Sum} & $\operatorname{Sum}(x, y) = x + y$ \\
\bottomrule
\end{tabular}"""
    )
