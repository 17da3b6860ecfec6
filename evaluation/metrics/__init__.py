"""Metrics as `evaluate.Metric` classes, one a file. Importing one loads `evaluate` (seconds)."""
