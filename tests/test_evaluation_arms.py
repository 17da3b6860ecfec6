"""Arms: what a name says, which names are none, and the order of tables."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.errors import UserError
from evaluation.arms import Kind, Part, in_order, parse_arm


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("real", Kind.MAIN),
        ("real_full", Kind.MAIN),
        ("few_shot", Kind.MAIN),
        ("real@50", Kind.CURVE),
        ("zero_shot@5", Kind.CURVE),
        ("zero_shot+real@50", Kind.MIXED),
        ("llm_labelled", Kind.ALTERNATIVE),
        ("gold_labelled", Kind.ALTERNATIVE),
        ("llm", Kind.ALTERNATIVE),
    ],
)
def test_a_name_says_what_an_arm_is_for(name: str, kind: Kind) -> None:
    """One source at equal size, at a size of its own, a mixture, or another use of the LLM."""
    arm = parse_arm(name)

    assert arm.kind is kind
    assert arm.name == name


def test_a_mixture_has_its_parts() -> None:
    """The corpus comes first, then the real texts with their number."""
    arm = parse_arm("few_shot+real@50")

    assert arm.parts == (Part("few_shot"), Part("real", 50))
    assert arm.strategies == ("few_shot",)


@pytest.mark.parametrize(
    ("name", "synthetic", "all_real"),
    [
        ("real@5", False, True),
        ("gold_labelled", False, True),
        ("few_shot@5", True, False),
        ("few_shot+real@5", False, False),
        ("llm_labelled", False, False),
    ],
)
def test_an_arm_knows_whose_texts_and_labels_it_has(
    name: str, synthetic: bool, all_real: bool
) -> None:
    """Real texts with an LLM's labels are neither synthetic nor all real."""
    arm = parse_arm(name)

    assert (arm.synthetic, arm.all_real) == (synthetic, all_real)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Real",
        "zero",
        "real@",
        "real@0",
        "real@-5",
        "real@05",
        "real@5.0",
        "real@²",
        "real@1234567890",
        "real_full@5",
        "llm@5",
        "real+few_shot",
        "few_shot+real",
        "few_shot@5+real@5",
        "few_shot+real@5+real@5",
        "few_shot+zero_shot@5",
        "curve",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    """The line names what was given and the option it was given to."""
    with pytest.raises(UserError, match=r"--arm: unknown arm .*; .*use real, real_full, zero_shot"):
        parse_arm(name, "--arm")


def test_tables_show_main_arms_first_and_sizes_in_ascending_order() -> None:
    """9 comes before 10: sizes are numbers."""
    shuffled = ("llm", "real@10", "few_shot+real@50", "few_shot", "real@9", "real", "real@10")

    assert in_order(shuffled) == (
        "real",
        "few_shot",
        "real@9",
        "real@10",
        "few_shot+real@50",
        "llm",
    )


@given(st.text(alphabet="real_fullzero_shot@+1250 ", max_size=24))
def test_any_text_is_an_arm_or_refused(text: str) -> None:
    """What is read is written back the same; nothing else is raised."""
    with contextlib.suppress(UserError):
        assert parse_arm(text).name == text
