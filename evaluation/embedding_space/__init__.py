"""Where texts lie in embedding space: spread, closeness, and what is covered."""
