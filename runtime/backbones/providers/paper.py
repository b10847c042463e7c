"""`paper:NAME`: the backbones of the BM-NAS paper, which are modules of our own."""

from __future__ import annotations

import torch

from ..paper.models import LARGEST, MODELS, SMALLEST
from ..paper.weights import adapted, without_head
from ..weights import load_state, read_state
from . import Made, Request
from .torchvision import published_file


def make(request: Request) -> Made:
    """A backbone by its name, with random weights; raises DiagnosticError where there is none."""
    name, at, size = request.model.partition("@")
    if name not in MODELS:
        raise request.unknown([*MODELS])
    model = MODELS[name]
    if at and (model.side is None or not _is_side(size)):
        message = f"`{request.model}` has no size that `{name}` can take"
        remedy = f"write `{name}`"
        if model.side is not None:
            remedy += f", or `{name}@SIDE` with a side from {SMALLEST} to {LARGEST:,} pixels"
        raise request.fail(message, remedy)
    side = int(size) if at else model.side or 0
    return Made(model.build(), (model.taken(side),), model.transform(side))


def _is_side(text: str) -> bool:
    return len(text) < 6 and text.isdecimal() and SMALLEST <= int(text) <= LARGEST


def publish(request: Request, made: Made) -> None:
    """The weights of torchvision that a network begins with, of its cache; others have none."""
    published = MODELS[request.model.partition("@")[0]].published
    if published is None:
        message = f"weights of `{request.reference}` are not published where a library finds them"
        raise request.fail(message, f"give `--pretrained {request.reference}=FILE`, or `--initial`")
    load(request, made, published_file(request, *published))


def load(request: Request, made: Made, path: str) -> None:
    """Puts the weights of a file in: our own, those of the published code, or torchvision's.

    Where these have no head, the network has none. Raises DiagnosticError where they do not fit.
    """
    state = adapted(read_state(path, request.reference), made.module)
    without_head(made.module, MODELS[request.model.partition("@")[0]].head, state)
    with torch.no_grad():
        load_state(made.module, state, request.reference, path)
