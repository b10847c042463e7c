"""What is said of the Python target."""

from ..target import Target, late

_source = late("python.source.source")
PYTHON = Target(
    "python",
    lambda subject: _source(subject.program, subject.network),
    ending=".py",
    encode=lambda subject: _source(subject.program, subject.network).encode(),
    has_weights=False,
)
