"""Processes that run together: ranks, averages, normalisation over all, interrupts; threads."""
