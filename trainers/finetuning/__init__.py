"""Fine-tuning in its parts: texts, batches, the `Trainer`, checkpoints, and what a run leaves."""
