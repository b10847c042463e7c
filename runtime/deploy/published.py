"""State dicts of published fusion networks: read into weights of ours, and written from them.

They are read without torch and without pickle, as data in `.pt` files are.
"""

from __future__ import annotations

from functools import partial
from os import PathLike
from pathlib import Path

from ...compiler.check.check import checked, require_no_holes
from ...compiler.graph.build import build
from ...compiler.language.spec import Spec
from ...compiler.lowering.lower import lower
from ...compiler.program.weights import fitting
from ...compiler.published.weights import exported, imported
from ...compiler.system.files import open_file
from ...compiler.targets.safetensors import read_spec, read_weights, safetensors_of
from ..data.formats import diagnosed, pt


def import_weights(spec: Spec, path: str | PathLike[str]) -> tuple[bytes, list[str]]:
    """A `.safetensors` file of a network and its weights, and the names that nothing reads.

    `path` is a state dict as `torch.save` writes it. Raises DiagnosticError where it cannot be
    read, or does not fit the network.
    """
    network = checked(spec)
    require_no_holes(network)
    with diagnosed(f"`{path}`", pt.UNREADABLE), open_file(path) as stream:
        names = pt.headers(stream, Path(path))
        state = {name: partial(pt.array, stream, name) for name in names}
        found, rest = imported(state, network)
        weights = fitting(lower(build(network)), found)
        return safetensors_of(spec, weights), rest


def export_weights(path: str | PathLike[str]) -> bytes:
    """The state dict, as `torch.save` writes it, of a `.safetensors` file with a specification.

    Raises DiagnosticError where that is no network of a published code.
    """
    import io

    import torch

    network = checked(read_spec(path))
    require_no_holes(network)
    weights = fitting(lower(build(network)), read_weights(path))
    state = {name: torch.from_numpy(a) for name, a in exported(weights, network).items()}
    written = io.BytesIO()
    torch.save(state, written)
    return written.getvalue()
