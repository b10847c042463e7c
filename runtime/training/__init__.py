"""Weights from data: objectives, optimisers, epochs, and the training of a network."""
