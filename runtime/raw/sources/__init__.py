"""Where raw data come from, one file each: found by their place."""
