"""Everything that can be said of a specification before it is built."""
