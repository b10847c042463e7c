"""Candidates that are trained by themselves: trials, strong starts, samplers, comparisons."""
