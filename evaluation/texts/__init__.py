"""How texts are worded: n-grams, words and lengths, of one corpus or of two."""
