"""`transformers:NAME`: models of Hugging Face, from a local folder or from what was downloaded.

`NAME#vision` and `NAME#text` are one tower of a model of two. Of a model that also writes, the
encoder is taken. No code of a model's folder is run: `trust_remote_code` is never given, and a
configuration that names code, kernels or another implementation is refused.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from torch import nn

from ....compiler.diagnostics.diagnostic import DiagnosticError, fail, one_of
from ....compiler.diagnostics.text import shortened
from ....compiler.system.files import first_line, is_folder
from ....compiler.system.memory import available_memory, memory_text
from ....compiler.system.provenance import described
from ...extras import needed
from ..inputs import Input
from ..model_folder import ModelFolder, read_folder
from ..transforms import text_transform
from ..weights import load_state, read_state
from . import Made, Request

_SIZE = 224
_LONGEST = 512
T = TypeVar("T")


def _library() -> Any:
    return needed("transformers", "transformers")


def make(request: Request) -> Made:
    """The model of a folder's configuration; raises DiagnosticError where there is none."""
    library = _library()
    home, tower = _home(request)
    try:
        folder = read_folder(home, download=request.options.download)
    except FileNotFoundError:
        message = f"there is no model `{request.model}` of transformers here"
        remedy = "give its folder, or `--download` it"
        raise request.fail(message, remedy) from None
    except ValueError as error:
        message = f"`{request.reference}` is not opened: {shortened(str(error), 300)}"
        raise request.fail(message, "use a model whose code is that of transformers") from None
    config: Any = _asked(
        request,
        lambda: library.AutoConfig.from_pretrained(
            home, local_files_only=not request.options.download, trust_remote_code=False
        ),
    )
    if tower:
        config = getattr(config, f"{tower}_config", None)
        if config is None:
            raise request.fail(f"`{home}` has no tower `{tower}`", "leave it out")
    elif hasattr(config, "vision_config") and hasattr(config, "text_config"):
        message = f"`{request.reference}` takes pictures and texts at once"
        remedy = f"take a tower: `{request.reference}#vision`, `#text`"
        raise request.fail(message, remedy)
    module: Any = _encoder(_asked(request, lambda: _built(request, config)))
    inputs, transform = _inputs(request, module, folder)
    tokenizer = folder.files.get("tokenizer.json") if transform["kind"] == "text" else None
    files = {"tokenizer": tokenizer} if tokenizer is not None else {}
    model = module.config.model_type if is_folder(home) else request.model
    version = library.__version__
    return Made(module, inputs, transform, files, version, model, _beside(home))


def _beside(home: str) -> Literal["", "beside"]:
    """Whether weights lie in a folder that is named by its path."""
    there = any(file.suffix in (".safetensors", ".bin") for file in Path(home).glob("*.*"))
    return "beside" if there else ""


def _home(request: Request) -> tuple[str, str]:
    """The folder or the name of a model, and the tower that is taken of it."""
    name, _, tower = request.model.partition("#")
    given = request.file
    return (given if given is not None and is_folder(given) else name), tower


def _asked(request: Request, ask: Callable[[], T]) -> T:
    """What transformers gives, quietly; raises DiagnosticError where it raises anything."""
    try:
        with _quiet():
            return ask()
    except DiagnosticError:
        raise
    except Exception as error:  # noqa: BLE001  (of a configuration that others wrote, anything)
        why = shortened(first_line(error), 300)
        message = f"`{request.reference}` cannot be opened: {why}"
        raise request.fail(message, "use a model that `transformers.AutoModel` opens") from None


def _built(request: Request, config: Any) -> Any:
    """The model of a configuration, once it is known to fit in memory."""

    def build() -> Any:
        models = _library().AutoModel
        return models.from_config(config, trust_remote_code=False, dtype=torch.float32)

    with torch.device("meta"):
        outline = build()
    needed = sum(p.numel() * p.element_size() for p in outline.parameters())
    there = available_memory()
    if torch.get_default_device().type == "meta":
        return outline
    if there is not None and needed > there:
        message = (
            f"`{request.reference}` takes {memory_text(needed)}; there is {memory_text(there)}"
        )
        raise fail("E512", message, request.span, help="take a smaller model")
    return build()


def _encoder(model: Any) -> Any:
    return model.get_encoder() if model.config.is_encoder_decoder else model


def _inputs(
    request: Request, module: Any, folder: ModelFolder
) -> tuple[tuple[Input, ...], dict[str, Any]]:
    """What a model takes, and how raw data become that."""
    config = module.config
    masked = "attention_mask" in inspect.signature(module.forward).parameters
    mask = (Input("attention_mask", "mask", (None,), 2, optional=True),) if masked else ()
    match module.main_input_name:
        case "input_ids":
            text = Input("input_ids", "text", (None,), config.vocab_size)
            return (text, *mask), _text_transform(module, folder)
        case "pixel_values":
            colours = getattr(config, "num_channels", 3)
            size = _size_of(getattr(config, "image_size", None)) or folder.size or (_SIZE, _SIZE)
            return (Input("pixel_values", "picture", (colours, *size)),), folder.picture(
                size, colours
            )
        case "input_values" if getattr(config, "conv_stride", None):
            return (Input("input_values", "sound", (None,)), *mask), folder.sound()
        case other:
            message = f"`{request.reference}` takes `{other}`, which is made in a way of its own"
            remedy = "write a function that prepares it and calls the model, for `--backbone`"
            raise request.fail(message, remedy)


def _size_of(size: Any) -> tuple[int, int] | None:
    if isinstance(size, int):
        return size, size
    return (size[0], size[1]) if isinstance(size, (list, tuple)) and len(size) == 2 else None


def _text_transform(module: nn.Module, folder: ModelFolder) -> dict[str, Any]:
    """How texts become tokens; without a digest where the folder holds no tokenizer."""
    config: Any = module.config
    said = folder.records.get("tokenizer_config.json", {}).get("model_max_length")
    positions = [
        m.num_embeddings - (0 if m.padding_idx is None else m.padding_idx + 1)
        for name, m in module.named_modules()
        if isinstance(m, nn.Embedding) and "position" in name
    ]
    longest = min(positions, default=_LONGEST)
    if type(said) is int and 0 < said < longest:
        longest = said
    path = folder.files.get("tokenizer.json")
    padding = getattr(config, "pad_token_id", None)
    digest = _digest(path) if path is not None else ""
    return text_transform(digest, longest, padding if type(padding) is int else 0)


def _digest(path: str) -> str:
    from pathlib import Path

    return str(described(Path(path))["sha256"])


def publish(request: Request, made: Made) -> None:
    """Puts the weights in that lie in the folder, or that were downloaded."""
    _load_folder(request, made, _home(request)[0])


def load(request: Request, made: Made, path: str) -> None:
    """Puts in the weights of a folder, or of a file that has those of the very model."""
    if is_folder(path):
        _load_folder(request, made, path)
    else:
        load_state(made.module, read_state(path, request.reference), request.reference, path)


def _load_folder(request: Request, made: Made, home: str) -> None:
    """The weights of a folder, which the library reads: safetensors, or pickles of tensors alone.

    Raises DiagnosticError for weights that the folder lacks, unless these may be random.
    """
    module: Any = made.module
    loaded, told = _asked(
        request,
        lambda: _library().AutoModel.from_pretrained(
            home,
            config=module.config,
            local_files_only=not request.options.download,
            trust_remote_code=False,
            weights_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        ),
    )
    missing = sorted(told["missing_keys"])
    if missing and not request.options.initial:
        message = f"the weights of `{request.reference}` lack {one_of(missing, 3)}"
        remedy = "with `--initial` these are random, which does no harm before them"
        raise fail("E505", message, request.span, help=remedy)
    made.module.load_state_dict(_encoder(loaded).state_dict())


@contextmanager
def _quiet() -> Generator[None]:
    """Without the bars and the hints of the library."""
    library = _library().utils.logging
    level, bars = library.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity(logging.CRITICAL)
    library.disable_progress_bar()
    try:
        yield
    finally:
        library.set_verbosity(level)
        if bars:
            library.enable_progress_bar()
