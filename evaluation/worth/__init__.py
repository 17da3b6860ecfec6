"""What synthetic text is worth: in real labels, in money, and on a task not yet measured."""
