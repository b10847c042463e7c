"""What is said of the torch targets: a module, whose weights are a file, and a torch program."""

from ..target import Subject, Target, late

_module, _exported = late("torch.module.compile_torch"), late("torch.program.exported")
_saved, _packed = late("torch.program.saved"), late("safetensors.safetensors_of")


def _encoded(subject: Subject) -> bytes:
    return bytes(_saved(_exported(_module(subject)), subject.about))


TORCH = Target(
    "torch",
    _module,
    ending=".safetensors",
    encode=lambda subject: _packed(subject.network.spec, subject.arrays),
    specification=late("safetensors.read_spec"),
)
PT2 = Target(
    "pt2",
    lambda subject: _exported(_module(subject)),
    ending=".pt2",
    encode=_encoded,
    specification=late("torch_archive.read_spec"),
    ensembles=True,
)
