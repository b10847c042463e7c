"""A model card in Markdown, under the YAML head that Hugging Face reads, from what was measured.

It says what is known of the file, and where only its author knows, that this is to be filled in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ...compiler.diagnostics.text import json_text, printable
from ...compiler.language.printer import name
from ...compiler.measure.sizes import count_macs, count_parameters
from ...compiler.network.network import Network, NetworkFeature
from ...compiler.passes import optimise
from ...compiler.targets.target import Subject

USE = """```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({file})
features = {{
{features}
}}
(output,) = session.run([{output}], features)  # (batch, {count})
```"""


def model_card(
    subject: Subject, file: str, inputs: Collection[str], facts: Mapping[str, Any], data: str = ""
) -> str:
    """The card of an ONNX file with these inputs.

    `facts` are what its certificate says, and `data` is what those are called that it is of.
    """
    network = subject.network
    features = [f for f in network.features if f.name in inputs]
    parts = [
        _head(network, facts, data),
        f"# {printable(network.name)}",
        "A network that fuses features of several modalities, written by Fusewright as ONNX. "
        "Its Cells, Steps and adapters are functions of the file, and its specification is inside.",
        "## What goes in and comes out",
        _table(("feature", "modality", "shape"), map(_feature, features)),
        _output(network, facts["output"]),
        "## How to use it",
        _use(network.head.count, features, file, facts["output"]),
        "## How it was measured",
        *_measured(facts, data),
        "## Its size",
        _size(subject, facts),
        "## Its specification",
        *(f"```fuse\n{text.rstrip()}\n```" for text in subject.about.values()),
        "## To be filled in by whoever publishes it",
        "- what it is meant for, and what it is not;\n"
        "- whom and what the data show, and what they may be used for;\n"
        "- the licence of the weights, which is not that of Fusewright.",
    ]
    return "\n\n".join(parts) + "\n"


def _head(network: Network, facts: Mapping[str, Any], data: str) -> str:
    """The YAML head; JSON is YAML, so that no name needs a quotation of its own."""
    about: dict[str, Any] = {
        "library_name": "onnx",
        "tags": ["fusewright", "multimodal-fusion", f"{network.head.kind}"],
    }
    if scores := _scores(facts):
        about["metrics"] = list(scores)
        result = {
            "task": {"type": "other", "name": f"{network.head.count} {network.head.kind}"},
            "dataset": {"type": "other", "name": printable(data) or "own data"},
            "metrics": [{"type": k, "value": round(v, 6)} for k, v in scores.items()],
        }
        about["model-index"] = [{"name": printable(network.name), "results": [result]}]
    lines = [f"{key}: {json_text(value)}" for key, value in about.items()]
    return "\n".join(["---", *lines, "---"])


def _scores(facts: Mapping[str, Any]) -> Mapping[str, float]:
    """The metrics of the file itself on the test split; none where no data were given."""
    by_precision: Mapping[str, Mapping[str, float]] = facts.get("metrics", {})
    return by_precision.get(facts.get("precision", "float32"), {})


def _feature(feature: NetworkFeature) -> tuple[str, str, str]:
    axes = ", ".join(map(str, feature.axes or ()))
    return f"`{feature.name}`", f"`{feature.modality}`", f"(batch, {axes}) in float32"


def _output(network: Network, what: str) -> str:
    head = network.head
    named = "" if head.names is None else f": {', '.join(map(name, head.names))}"
    return f"It gives {what} (batch, {head.count}), for {head.count} {head.kind}{printable(named)}."


def _use(count: int, features: Iterable[NetworkFeature], file: str, output: str) -> str:
    """A program that runs it on random features of one sample."""
    lines = [
        f"    {json_text(f.name)}: np.random.rand(1, {', '.join(_sizes(f))}).astype(np.float32),"
        for f in features
    ]
    shown = {"file": json_text(file), "output": json_text(output), "count": count}
    return USE.format(features="\n".join(lines), **shown)


def _sizes(feature: NetworkFeature) -> Iterator[str]:
    """The sizes of a feature; an axis that is known only at run time has 4 here."""
    yield from (str(axis.size or 4) for axis in feature.axes or ())


def _measured(facts: Mapping[str, Any], data: str) -> Iterator[str]:
    if scores := _scores(facts):
        yield f"On the test split of {printable(data) or 'the data'}:"
        yield _table(("metric", "value"), ((k, f"{v:.4f}") for k, v in scores.items()))
    if "comparisons" in facts:
        yield (
            "Run in ONNX Runtime beside a reference in float64; `relative` is max|a − b| over "
            "max(1, max|b|)."
        )
        rows = (
            (str(c["inputs"]), _number(c["relative"]), str(c.get("verdict", "")))
            for c in facts["comparisons"]
        )
        yield _table(("inputs", "relative", "verdict"), rows)
    else:
        yield "It was written without being run (`--no-verify`)."


def _number(value: Any) -> str:
    return f"{value:.1e}" if isinstance(value, float) else str(value)


def _size(subject: Subject, facts: Mapping[str, Any]) -> str:
    macs = count_macs(optimise(subject.program, "inference"))
    return (
        f"{count_parameters(subject.program):,} parameters, {macs:,} multiply-adds for one sample, "
        f"{facts['precision']}, operator set {facts['opset']}."
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [head, ("---",) * len(head), *rows]
    lines = [" | ".join(cell.replace("|", r"\|") for cell in row) for row in cells]
    return "\n".join(f"| {line} |" for line in lines)
