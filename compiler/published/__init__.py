"""Networks of the published codes of BM-NAS and MFAS, and their weights: read and written."""
