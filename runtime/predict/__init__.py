"""Outputs for samples, through torch or ONNX Runtime, and what they mean."""
