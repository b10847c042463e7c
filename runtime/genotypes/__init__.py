"""Spaces of genotypes: drawing, counting, deriving, and where several agree."""
