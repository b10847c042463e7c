"""The resolved network: its places and holes, what operations it knows, rules for filling."""
