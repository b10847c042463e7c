"""Arrays in files, the dataset that a network reads, its batches, and a first specification."""
