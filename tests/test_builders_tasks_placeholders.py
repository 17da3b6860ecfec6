"""Placeholders of a generation prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.tasks.placeholders import PLACEHOLDERS, placeholder_mistakes

_VALUES: dict[str, str | int] = {
    "count": 25,
    "label": "spam",
    "meaning": "advertises",
    "min_words": 4,
    "max_words": 30,
}
_NAMES = [f"{{{name}}}" for name in _VALUES]
_FAULTS = ["{0}", "{}", "{count!r}", "{count:>3}", "{Label}", "{label.x}", "{label[0]}"]
_FRAGMENTS = st.sampled_from(["{", "}", "{{", "}}", " a ", *_NAMES, *_FAULTS])


@pytest.mark.parametrize(
    "text",
    [
        "Write {count} of {label}",
        "{count} {label} {meaning} {min_words} {max_words}",
        "{count} {label} as {{x: 1}}",
        "{{{count}}} {label}",
    ],
)
def test_known_placeholders_and_doubled_braces_are_right(text: str) -> None:
    """The five names may stand in braces, and doubled braces stand for single ones."""
    assert list(placeholder_mistakes(text)) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        # "Write " has six characters, so the placeholder begins at the seventh.
        ("Write {cuont} {count} {label}", "unknown placeholder {cuont} at character 7"),
        ("{count} {label} {0}", "unknown placeholder {0} at character 17"),
        ("{count} {label} {}", "unknown placeholder {} at character 17"),
        ("{count} {label:>3} {label}", "unknown placeholder {label:>3} at character 9"),
        ("{count} {label!r} {label}", "unknown placeholder {label!r} at character 9"),
        ("{count} {label} }", "stray } at character 17"),
        ("{ {count} {label}", "stray { at character 1 "),
        ("Write {count", "has no {count}"),
        ("Write {count} texts", "has no {label}"),
        ("Write {{count}} {label}", "has no {count}"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, wrong: str) -> None:
    """An unknown placeholder, a stray brace and a missing name are told apart, with positions."""
    assert any(wrong in found for found, _ in placeholder_mistakes(text))


def test_a_misspelt_placeholder_is_met_with_the_nearest() -> None:
    """The fix names the placeholder that was probably meant."""
    (_, right), *_ = placeholder_mistakes("Write {cuont} {count} {label}")

    assert right.startswith("did you mean {count}?")


@given(st.lists(_FRAGMENTS, max_size=8).map("".join))
def test_a_prompt_without_faults_can_be_filled(text: str) -> None:
    """What passes the check is filled without an error, with count and label in it."""
    if not list(placeholder_mistakes(text)):
        filled = text.format(**_VALUES)

        assert "25" in filled and "spam" in filled


@given(st.lists(_FRAGMENTS, max_size=8).map("".join))
def test_a_prompt_that_cannot_be_filled_has_a_fault(text: str) -> None:
    """What `str.format` refuses, or would fill with anything but the five names, is a mistake."""
    try:
        text.format(**_VALUES)
    except (ValueError, LookupError, AttributeError):
        assert list(placeholder_mistakes(text))


def test_the_five_names_are_the_contract() -> None:
    """The placeholders are those that strategies fill."""
    assert set(PLACEHOLDERS) == set(_VALUES)
