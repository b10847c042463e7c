"""Backbones: models of libraries or of one's own, opened, looked into, and tapped for features."""
