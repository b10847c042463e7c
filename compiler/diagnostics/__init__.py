"""Sources, spans, and what is said of them: codes, messages, remedies, and their pages."""
