"""Genotypes: drawing, counting, deriving, where several agree, and which make an ensemble."""
