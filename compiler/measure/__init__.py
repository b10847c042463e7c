"""Sizes of Programs, parts that are measured alone, and numbers of architectures."""
