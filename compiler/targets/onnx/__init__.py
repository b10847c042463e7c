"""The ONNX target: `export` builds a model, `file` reads and runs one, `certificate` proves it."""
