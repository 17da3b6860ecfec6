"""Groups of arms: what each stands for, given the texts that there are."""

from understudy.arm_groups import expanded, needs_labels, strategies_of

REAL = {"a": 60, "b": 27}
CORPORA = {"few_shot": {"a": 10, "b": 11}}


def test_a_curve_goes_as_far_as_the_smallest_label() -> None:
    """27 real texts of b and 10 written ones of a: no size beyond that."""
    assert expanded(["curve"], REAL, CORPORA, {}) == (
        "real@5",
        "real@10",
        "real@25",
        "few_shot@5",
        "few_shot@10",
    )


def test_a_mixture_needs_enough_real_texts() -> None:
    """10 real texts of each label are at hand, 50 are not."""
    assert expanded(["mixed"], REAL, CORPORA, {}) == ("few_shot+real@10",)


def test_without_real_texts_there_are_no_curves_and_no_mixtures() -> None:
    """A corpus that is scored on another corpus has the main arms only."""
    assert expanded(["main", "curve", "mixed"], None, CORPORA, {}) == (
        "real",
        "real_full",
        "zero_shot",
        "few_shot",
    )


def test_real_test_texts_alone_are_enough_for_the_curve_of_a_corpus() -> None:
    """Without training texts the corpora still have something to be scored on."""
    none = {"a": 0, "b": 0}

    assert expanded(["curve", "mixed"], none, CORPORA, {}) == ("few_shot@5", "few_shot@10")


def test_an_arm_asked_for_by_name_stays() -> None:
    """Whether there are texts for it is said elsewhere, with the reason."""
    assert expanded(["real@500", "curve"], REAL, {}, {}) == (
        "real@5",
        "real@10",
        "real@25",
        "real@500",
    )


def test_groups_need_every_corpus() -> None:
    """A group may turn out to need any strategy."""
    assert strategies_of(["mixed"]) == ("zero_shot", "few_shot")
    assert strategies_of(["real@5", "few_shot@5"]) == ("few_shot",)


def test_written_texts_are_compared_with_labelled_ones_at_their_sizes() -> None:
    """Beside the three arms, as many written texts and as many as cost the same."""
    arms = expanded(["alternatives"], REAL, CORPORA, {"few_shot": (4, 10)})

    assert arms == ("few_shot@4", "few_shot@10", "llm_labelled", "gold_labelled", "llm")


def test_only_some_arms_need_labels() -> None:
    """An LLM is not asked to label anything for a curve."""
    assert needs_labels(["curve", "llm"])
    assert needs_labels(["alternatives"])
    assert not needs_labels(["main", "curve", "mixed", "real@5"])
