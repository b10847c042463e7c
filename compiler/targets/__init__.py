"""Targets: Program to artifact, a folder with its record for each; and notations and pictures."""
