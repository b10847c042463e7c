"""Targets: Program to artifact, one file each, and the only files that import their framework."""
