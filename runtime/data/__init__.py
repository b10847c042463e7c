"""Arrays in files, the dataset that a network reads, batches, folds, and a first specification."""
