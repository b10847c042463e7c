"""Fuse text to Spec: the grammar's tables, the parser, recovery, and the formatter."""
