"""Specifications in, artifacts out: Spec, Graph, Program, passes and targets."""
