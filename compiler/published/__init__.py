"""Genotypes in the notation of the published BM-NAS code, read and written."""
