"""The words of `--train` and `--validation`: what they mean, and what is refused."""

import pytest

from builders.errors import UserError
from trainers.finetuning.sources import Part, Validation, parse_train, parse_validation


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("synthetic", Part("synthetic")),
        ("synthetic:1.0", Part("synthetic")),
        ("real:100-per-label", Part("real", 100)),
        ("real:100-per-label:2.5", Part("real", 100, 2.5)),
        ("real:0.5:7-per-label", Part("real", 7, 0.5)),
    ],
)
def test_a_source_has_an_amount_and_a_weight(word: str, part: Part) -> None:
    """In any order, and each may be left out."""
    assert parse_train([word]) == (part,)


def test_a_mixture_names_each_source_once() -> None:
    """In the order in which they are given."""
    assert parse_train(["synthetic:1.0", "real:100-per-label"]) == (
        Part("synthetic"),
        Part("real", 100),
    )
    with pytest.raises(UserError, match="real stands twice"):
        parse_train(["real", "real:5-per-label"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "is empty; give SOURCE"),
        (["gold"], "unknown source 'gold'"),
        (["synthetic:many"], "cannot be read"),
        (["synthetic:1:2"], "cannot be read"),
        (["real:5-per-label:6-per-label"], "cannot be read"),
        (["real:nan"], "cannot be read"),
        (["synthetic:0"], "a weight is above 0"),
        (["synthetic:-1"], "a weight is above 0"),
        (["synthetic:1e-300"], "a weight lies between 1e-6 and 1e6"),
        (["synthetic", "real:1e38"], "a weight lies between 1e-6 and 1e6"),
        (["real:0-per-label"], "at least 1 text a label"),
    ],
)
def test_other_words_are_refused(words: list[str], said: str) -> None:
    """With what they should look like."""
    with pytest.raises(UserError, match=said):
        parse_train(words)


@pytest.mark.parametrize(
    ("word", "validation"),
    [
        ("none", None),
        ("0.1", Validation(share=0.1)),
        ("real", Validation()),
        ("real:20-per-label", Validation(per_label=20)),
    ],
)
def test_validation_is_a_share_or_real(word: str, validation: Validation | None) -> None:
    """Or none."""
    assert parse_validation(word) == validation


@pytest.mark.parametrize("word", ["0", "1", "1.5", "-0.1", "nan", "synthetic", "real:2.0", "some"])
def test_other_validation_is_refused(word: str) -> None:
    """A share lies between 0 and 1, and nothing that is only watched has a weight."""
    with pytest.raises(UserError, match=r"--validation"):
        parse_validation(word)
