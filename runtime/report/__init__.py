"""Reports of finished runs: one HTML page that stands by itself."""
