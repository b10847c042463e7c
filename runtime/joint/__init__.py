"""Backbones and fusion network as one: trained together, and one ONNX file from raw inputs."""
