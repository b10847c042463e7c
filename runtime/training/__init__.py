"""Weights from data: objectives, optimisers, epochs; training one network, several, an ensemble."""
