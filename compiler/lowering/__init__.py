"""Graph to Program: slots become values or mixtures, equations become primitives."""
