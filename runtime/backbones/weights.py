"""Files of a backbone's weights: `.safetensors`, or what `torch.save` wrote, without its code."""

from __future__ import annotations

from collections.abc import Mapping
from io import BufferedReader
from typing import Any

import torch
from torch import Tensor, nn

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail, one_of
from ...compiler.system.archives import require_room
from ...compiler.system.files import first_line, open_file, reason
from ...compiler.system.tensors import Tensor as Stored
from ...compiler.system.tensors import read_tensors

DTYPES: Mapping[str, torch.dtype] = {
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
WRAPPERS = ("state_dict", "model")
"""Under what programs of training keep the weights, where they are not all that a file holds."""
COUNTED = "num_batches_tracked"
"""What a batch normalisation counts, which files of before there was such a count lack."""


def read_state(path: str, reference: str = "") -> dict[str, Tensor]:
    """The tensors of a file by name; raises DiagnosticError where it cannot be read.

    Of a file with several backbones, as a joint training leaves it, those of the one `reference`.

    A file of `torch.save` is read as tensors, numbers and texts (`weights_only`): no code of it is
    run.
    """
    if path.endswith(".safetensors"):
        state, prefix = _read_safetensors(path), f"{reference}/"
        own = {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
        return own or state
    with open_file(path) as stream:
        try:
            require_room(path, stream)
            value: Any = torch.load(stream, map_location="cpu", weights_only=True)
        except DiagnosticError:
            raise
        except MemoryError:
            raise fail("E512", f"`{path}` does not fit in memory") from None
        except Exception as error:  # noqa: BLE001  (unpickling raises what the file makes it)
            why = first_line(error)
            remedy = "save it as `.safetensors`, or its `state_dict()` with `torch.save`"
            raise fail("E504", f"`{path}` holds no weights: {why}", help=remedy) from None
    for wrapper in WRAPPERS:
        if isinstance(value, Mapping) and isinstance(value.get(wrapper), Mapping):
            value = value[wrapper]
    if not _are_tensors(value):
        message = f"`{path}` holds no weights: it is not tensors by name"
        raise fail("E504", message, help="save the model's `state_dict()`")
    return dict(value)


def _are_tensors(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items()
    )


def _read_safetensors(path: str) -> dict[str, Tensor]:
    with open_file(path) as stream:
        try:
            tensors = read_tensors(stream).by_name
            return {name: _read_tensor(stream, tensor) for name, tensor in tensors.items()}
        except KeyError as error:
            message = f"`{path}` holds weights of the type {error.args[0]}"
            raise fail("E504", message, help="store them as float32") from None
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            message = f"`{path}` is not a safetensors file: {reason(error)}"
            raise fail("E504", message, help="save it anew") from None


def _read_tensor(stream: BufferedReader, stored: Stored) -> Tensor:
    """A tensor of a file; raises KeyError for a type that torch lacks, and others."""
    kind = DTYPES[stored.type]
    stream.seek(stored.start)
    content = bytearray(stream.read(stored.end - stored.start))
    if not content:
        return torch.empty(stored.shape, dtype=kind)
    return torch.frombuffer(content, dtype=kind).reshape(stored.shape)


def load_state(module: nn.Module, state: Mapping[str, Tensor], who: str, path: str) -> None:
    """Puts weights into a module; raises DiagnosticError where names or shapes differ."""
    own = module.state_dict()
    for what, names in (
        ("lacks", [n for n in own if n not in state and not n.endswith(COUNTED)]),
        ("has too much", [name for name in state if name not in own]),
        ("has in other shapes", [n for n in own if n in state and state[n].shape != own[n].shape]),
    ):
        if names:
            message = f"`{path}` does not fit `{who}`: it {what} {one_of(names, 4)}"
            raise fail("E505", message, help="give the weights of that very model")
    module.load_state_dict({**{n: t for n, t in own.items() if n.endswith(COUNTED)}, **state})
