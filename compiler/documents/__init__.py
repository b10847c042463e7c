"""JSON and YAML texts to Spec and back, which spelling a text is in, and records by schema."""
