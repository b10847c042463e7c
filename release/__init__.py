"""A release: wheel and sdist, equal byte for byte each time, and tried where nothing else is."""
