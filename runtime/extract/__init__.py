"""Extraction: raw data through backbones into a feature store, once."""
