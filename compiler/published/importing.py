"""What the published codes leave behind, of any kind, as a Spec: genotypes and configurations."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath

from ..diagnostics.diagnostic import fail
from ..language.spec import Spec
from ..system.files import read_bytes, read_text
from .genotype import spec_of
from .mfas import is_configuration, read_layers, spec_of_layers
from .notation import LONGEST_GENOTYPE, Genotype, read_genotype
from .pickled import is_pickle, unpickle_genotype
from .semantics import as_published, differences

MARK = "Genotype("
_ARCHIVE = b"PK\x03\x04"


def import_file(
    path: str | PathLike[str], spec: Spec, *, faithful: bool = False, alphas: bool = False
) -> tuple[Spec, Sequence[str]]:
    """The network in a file over a specification's features, and what differs, in sentences.

    The file is a text or a log with a genotype, a pickle of one, or a list of MFAS's layers. What
    differs is what the published code runs otherwise than a genotype says; `faithful` takes what it
    runs. Raises DiagnosticError as `spec_of` and `spec_of_layers` do.
    """
    name = fspath(path)
    content = read_bytes(path, 4 * LONGEST_GENOTYPE)
    if content.startswith(_ARCHIVE):
        remedy = "give it as `--weights`, and the genotype that it belongs to as the file"
        raise fail("E601", f"`{name}` is an archive, as `torch.save` writes weights", help=remedy)
    if MARK.encode() not in content and is_pickle(content):
        return _chosen(unpickle_genotype(content, name), spec, faithful, alphas)
    return import_text(
        read_text(path, LONGEST_GENOTYPE), spec, name, faithful=faithful, alphas=alphas
    )


def import_text(
    text: str,
    spec: Spec,
    name: str = "<genotype>",
    *,
    faithful: bool = False,
    alphas: bool = False,
) -> tuple[Spec, Sequence[str]]:
    """The network in a text, as `import_file` reads it."""
    if MARK not in text and is_configuration(text):
        return spec_of_layers(read_layers(text, name), spec, alphas), ()
    return _chosen(read_genotype(text, name), spec, faithful, alphas)


def _chosen(
    genotype: Genotype, spec: Spec, faithful: bool, alphas: bool
) -> tuple[Spec, Sequence[str]]:
    if alphas:
        message = "`--alphas` is for configurations of MFAS, and this is a genotype"
        raise fail("E506", message, help="leave it out")
    features = sum(len(modality.features) for modality in spec.modalities)
    differ = differences(genotype, features)
    return spec_of(as_published(genotype, features) if faithful else genotype, spec), differ
