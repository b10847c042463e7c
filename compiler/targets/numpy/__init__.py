"""The numpy target: the slow, obvious reference that the others are held against."""
