"""Latency of a network's parts on a machine: measured, kept in a profile, predicted."""
