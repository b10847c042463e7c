"""Searching and training as scikit-learn's estimators."""
