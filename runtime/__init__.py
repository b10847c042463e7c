"""What happens with tensors and data: search, training, evaluation, runs and reports."""
