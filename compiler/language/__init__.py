"""A specification as frozen dataclasses, its limits, and its canonical text."""
