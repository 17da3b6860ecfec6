"""How far the lengths of synthetic texts are from those of real ones."""

from collections.abc import Sequence

from builders.normalisation import word_count


def length_distance(real: Sequence[str], synthetic: Sequence[str]) -> float:
    """Return the 1-Wasserstein distance between the numbers of words of two sets of texts.

    That is the number of words by which a synthetic text would have to change, on average, for the
    lengths to be distributed as the real ones are. Words are what white space separates.

    Args:
        real: At least one text.
        synthetic: At least one text.

    Returns:
        Words, from 0.

    Raises:
        ValueError: No text in one of the sets.
    """
    from scipy.stats import wasserstein_distance

    for name, texts in (("real", real), ("synthetic", synthetic)):
        if not texts:
            raise ValueError(f"no {name} text to compare the length of")
    distance = wasserstein_distance(
        [word_count(text) for text in real], [word_count(text) for text in synthetic]
    )
    return float(distance)
