"""How the demo's data were made: which emoji there are, and which are variants of one another."""
