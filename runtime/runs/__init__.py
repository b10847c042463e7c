"""Run folders: owned, written, checkpointed, watched, and read again."""
