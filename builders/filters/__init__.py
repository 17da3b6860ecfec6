"""What keeps a candidate out of a corpus, each with its reason."""
