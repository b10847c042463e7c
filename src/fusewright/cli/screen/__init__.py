"""What the terminal shows while a command runs, and diagnostics."""
