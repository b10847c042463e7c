"""JSON and YAML texts to Spec and back, and which spelling a text is in."""
