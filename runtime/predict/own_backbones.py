"""Whether features are of the backbones that a network was trained together with.

Those that other backbones gave have the same shapes, so that scores of them look like any other.
A store says what gave its features; other data do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...compiler.diagnostics.diagnostic import Note, Report
from ...compiler.language.spec import Spec
from ..data.files import Source, arrays_of
from ..data.stores import StoreArrays
from ..store.manifest import Manifest, is_store, read_manifest

REMEDY = "extract them with it: `fusewright extract RUN --raw … --out STORE`; or evaluate raw data"


def require_own_backbones(trained: Mapping[str, str], spec: Spec, data: Source) -> None:
    """Raises DiagnosticError for features of others than the `trained` backbones.

    These are the digests of `Identity` by modality, and none where backbones were not trained.
    """
    if not trained:
        return
    arrays, made = arrays_of(data), _made_by(data)
    report = Report()
    for modality in spec.modalities:
        own, known = trained.get(modality.name), made.get(modality.name)
        there = [f.name for f in modality.features if f.name in arrays]
        if not there or own in (None, known):
            continue
        given = "of another backbone" if known else "of a backbone that the data do not name"
        message = f"the features of `{modality.name}` are {given}"
        note = Note(f"the network was trained together with `{modality.backbone}`")
        report.add("E515", message, help=f"{REMEDY}: `--joint --raw`", notes=[note])
    report.raise_errors()


def _made_by(data: Source) -> Mapping[str | None, str | None]:
    """The digest of the backbone that gave the features of each modality, where that is known."""
    manifest: Manifest | None = None
    if isinstance(data, StoreArrays):
        manifest = data.store.manifest
    elif not isinstance(data, Mapping) and is_store(data):
        manifest = read_manifest(Path(data))
    origins = manifest.origins if manifest is not None else {}
    return {modality: origin.weights for modality, origin in origins.items()}
