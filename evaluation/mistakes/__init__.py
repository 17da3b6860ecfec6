"""What a classifier and a corpus get wrong."""
