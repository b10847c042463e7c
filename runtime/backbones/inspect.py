"""What there is to tap in a backbone, and a specification with the shapes of what it taps."""

from __future__ import annotations

from typing import Any

from ...compiler.language.spec import Spec
from ...compiler.load import Given, spec_of
from ...compiler.system.files import is_file
from .backbone import open_structure
from .options import BackboneOptions
from .outline import Outline, outline
from .specification import with_shapes


def inspect(
    model: Given, *, backbones: BackboneOptions | None = None, **options: Any
) -> Outline | Spec:
    """The parts of a backbone and what they give; of a specification, it with its shapes.

    `model` is `PROVIDER:MODEL`, as `torchvision:resnet18`, or what says a specification: a Spec, a
    path, a text of more than one line, a Graph. `options` are those of `BackboneOptions` by name,
    which say what may be imported: `backbone=["mine=package.module:factory"]`. Raises
    DiagnosticError where a backbone cannot be opened or does not run, and where axes that are
    written differ from what it gives.
    """
    chosen = (backbones or BackboneOptions()).with_options(**options)
    is_text = isinstance(model, str) and ("\n" in model or "{" in model)
    if isinstance(model, str) and not is_text and not is_file(model):
        return outline(open_structure(model, chosen))
    return with_shapes(spec_of(model), chosen)
