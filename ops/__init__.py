"""Tensor primitives, one record each, and the libraries of operations written over them."""
