"""Run folders: written, checkpointed, watched, and read again."""
