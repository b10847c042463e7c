"""Sizes and memory of Programs, parts that are measured alone, and numbers of architectures."""
