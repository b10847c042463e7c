"""The Python target: `source` writes one file that needs torch alone."""
