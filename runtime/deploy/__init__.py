"""Artifacts of trained networks, certified before they are left behind."""
