"""Spec to Network: names are bound, families expanded, holes given their candidates."""
