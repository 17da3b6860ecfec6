"""From a corpus to a classifier: the frozen-encoder probe and fine-tuning."""
