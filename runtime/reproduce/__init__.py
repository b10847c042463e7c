"""The tables and figures of the BM-NAS paper, planned, run row by row, and written beside it."""
