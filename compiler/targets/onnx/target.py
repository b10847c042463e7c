"""What is said of the ONNX target."""

from ..target import Target, late
from .options import OnnxOptions

_model, _file = late("onnx.export.compile_onnx"), late("onnx.file.OnnxFile")
ONNX = Target(
    "onnx",
    lambda subject, **options: _model(subject, OnnxOptions(**options)),
    options=OnnxOptions,
    ending=".onnx",
    beside=(".data", ".certificate.json", ".card.md"),
    specification=lambda path: _file(path).spec,
    ensembles=True,
)
