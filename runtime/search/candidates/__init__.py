"""Candidates that are trained by themselves: trials, rungs, samplers, surrogates."""
