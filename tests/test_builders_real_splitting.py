"""Splits that keep training and test texts apart, and samples of labelled texts."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.data import LabelledTexts
from builders.normalisation import comparison_key
from builders.real import RealData, load_real
from builders.real.splitting import split, stratified, without
from builders.tasks import Prompt, Task

NAMES = ("red", "green")
TASK = Task(
    name="colours",
    title="Colours",
    description="Which colour is it?",
    labels={"red": "like blood", "green": "like grass"},
    prompt=Prompt("You paint.", "Write {count} notes on {label}."),
    length_words=(1, 20),
)


def labelled(*pairs: tuple[str, int]) -> LabelledTexts:
    """Return texts with their labels, named by their place."""
    texts, labels = zip(*pairs, strict=True) if pairs else ((), ())
    return LabelledTexts(texts, labels, NAMES, tuple(map(str, range(len(pairs)))))


def numbered(*counts: int) -> LabelledTexts:
    """Return so many different texts of each label."""
    return labelled(
        *((f"{NAMES[la]} note number {i}", la) for la, n in enumerate(counts) for i in range(n))
    )


def keys(texts: LabelledTexts) -> set[str]:
    """Return the forms under which texts count as equal."""
    return {comparison_key(text) for text in texts.texts}


# Few letters, so that texts often are copies up to case and punctuation.
FEW_LETTERS = st.text(alphabet="aAbB .!", min_size=1, max_size=4).filter(str.strip)
ROWS = st.lists(st.tuples(FEW_LETTERS, st.integers(0, 1)), max_size=60).map(lambda p: labelled(*p))

# ---- 70 / 5 / 25 ----------------------------------------------------------------------------


@given(ROWS, st.integers(0, 3))
def test_the_parts_of_a_split_are_the_whole(texts: LabelledTexts, seed: int) -> None:
    """Every row is in one part, none in two, and each part keeps the order of the source."""
    parts = split(texts, seed)

    assert sorted(int(name) for part in parts for name in part.ids) == list(range(len(texts)))
    for part in parts:
        assert [int(name) for name in part.ids] == sorted(int(name) for name in part.ids)
        assert part == texts.select([int(name) for name in part.ids])


@given(ROWS, st.integers(0, 3))
def test_no_text_stands_on_two_sides_of_a_split(texts: LabelledTexts, seed: int) -> None:
    """Case, punctuation and spacing ignored, whatever the labels of the copies are."""
    train, validation, test = map(keys, split(texts, seed))

    assert not train & validation
    assert not train & test
    assert not validation & test


@pytest.mark.parametrize(
    ("n", "parts"), [(100, (70, 5, 25)), (1000, (700, 50, 250)), (20, (14, 1, 5))]
)
def test_the_shares_are_70_5_and_25_percent_of_each_label(
    n: int, parts: tuple[int, int, int]
) -> None:
    """Of every label, however unequal the labels are."""
    for part, expected in zip(split(numbered(n, 3 * n)), parts, strict=True):
        assert part.counts() == {"red": expected, "green": 3 * expected}


@pytest.mark.parametrize(("n", "test"), [(1, 0), (2, 1), (3, 1), (5, 1), (6, 2)])
def test_a_label_of_few_texts_is_tested_and_trained_where_it_can_be(n: int, test: int) -> None:
    """Two texts are one on each side; a quarter of 6 is 1.5, which rounds to 2."""
    parts = split(numbered(n, 40))

    assert parts.test.counts()["red"] == test
    assert parts.train.counts()["red"] == n - test


def test_a_split_depends_on_its_seed_alone() -> None:
    """The same twice, another one for another seed."""
    texts = numbered(40, 40)

    assert split(texts) == split(texts)
    assert split(texts, 1).test != split(texts, 0).test


def test_a_label_is_split_the_same_whatever_the_other_has() -> None:
    """Rows added to one label do not move those of the other."""
    one, other = (split(numbered(40, n)).test for n in (40, 80))

    assert [t for t in one.texts if "red" in t] == [t for t in other.texts if "red" in t]


# ---- Overlap --------------------------------------------------------------------------------


def files(folder: Path, **splits: str) -> RealData:
    """Write lines `text;label` as splits; load them."""
    for name, lines in splits.items():
        rows = "".join(f'"{t}",{la}\n' for t, la in (line.split(";") for line in lines.split("\n")))
        (folder / f"colours.{name}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    return load_real(TASK, str(folder))


def test_training_texts_that_the_test_split_holds_are_removed_and_counted(tmp_path: Path) -> None:
    """Case, punctuation and spacing do not make another text; the test split stays whole."""
    real = files(
        tmp_path,
        train="A rose.;red\nGrass  grows;green\nBlood!;red\nMoss;green",
        test="a ROSE;red\ngrass, grows?;green",
    )

    assert real.train.texts == ("Blood!", "Moss")
    assert len(real.test) == 2
    assert real.moved == 2


def test_a_copy_with_another_label_is_removed_too(tmp_path: Path) -> None:
    """It is the text that must not be known, not the pair."""
    real = files(tmp_path, train="Apple;green\nBlood;red\nMoss;green", test="apple;red\nLeaf;green")

    assert (real.train.texts, real.moved) == (("Blood", "Moss"), 1)


def test_validation_texts_that_the_test_split_holds_are_removed_and_counted(
    tmp_path: Path,
) -> None:
    """Choosing a model on test texts is no better than training on them."""
    real = files(
        tmp_path,
        train="Blood;red\nMoss;green",
        validation="Leaf.;green\nRust;red",
        test="Rose;red\nLEAF;green",
    )

    assert real.validation is not None
    assert (real.validation.texts, real.moved) == (("Rust",), 1)


def test_what_is_not_in_the_test_split_stays(tmp_path: Path) -> None:
    """Copies within the training split are the data's own business."""
    real = files(tmp_path, train="Rose;red\nrose;red\nMoss;green", test="Blood;red\nLeaf;green")

    assert (len(real.train), real.moved) == (3, 0)


@given(ROWS, ROWS)
def test_what_is_left_of_the_one_is_nothing_of_the_other(
    one: LabelledTexts, other: LabelledTexts
) -> None:
    """`without` removes every text that the other side holds, and no more."""
    left = without(one, other)

    assert not keys(left) & keys(other)
    removed = Counter(one.texts) - Counter(left.texts)
    assert {comparison_key(text) for text in removed} <= keys(other)


def test_a_drawn_split_of_a_file_has_nothing_to_remove(tmp_path: Path) -> None:
    """Copies are on one side from the start, so none is removed and counted."""
    texts = [f"Note {i % 25}{'!' * (i // 25)},{NAMES[i % 25 % 2]}" for i in range(100)]
    (tmp_path / "colours.csv").write_text("\n".join(["text,label", *texts]), encoding="utf-8")

    real = load_real(TASK, str(tmp_path))

    assert real.moved == 0
    assert real.validation is not None
    assert len(real.train) + len(real.validation) + len(real.test) == 100
    assert not keys(real.train) & keys(real.test)


# ---- Samples --------------------------------------------------------------------------------


def test_a_stratified_sample_keeps_the_shares() -> None:
    """10 of 60 + 20: exact shares are 7.5 and 2.5, and the first of equal remainders goes up."""
    assert stratified(numbered(60, 20), 10).counts() == {"red": 8, "green": 2}


def test_a_sample_of_more_than_there_is_is_all() -> None:
    """Nothing is drawn twice."""
    texts = numbered(3, 2)

    assert stratified(texts, 5) == texts
    assert stratified(texts, 9) == texts


@given(ROWS, st.integers(1, 60), st.integers(0, 2))
def test_a_stratified_sample_has_its_size_and_no_share_off_by_one(
    texts: LabelledTexts, n: int, seed: int
) -> None:
    """Each label has its exact share rounded up or down, and the order of the source."""
    sample = stratified(texts, n, seed)

    assert len(sample) == min(n, len(texts))
    assert sorted(map(int, sample.ids)) == list(map(int, sample.ids))
    for name, count in texts.counts().items():
        share = len(sample) * count / max(1, len(texts))
        assert abs(sample.counts()[name] - share) < 1


@given(ROWS, st.integers(0, 30), st.integers(0, 2))
def test_a_sample_per_label_has_as_many_of_each_as_there_are(
    texts: LabelledTexts, n: int, seed: int
) -> None:
    """At most `n` of every label, the same for the same seed, in the order of the source."""
    sample = texts.sample_per_label(n, seed)

    assert sample == texts.sample_per_label(n, seed)
    assert sample.counts() == {name: min(n, count) for name, count in texts.counts().items()}
    assert list(map(int, sample.ids)) == sorted(map(int, sample.ids))


def test_a_sample_may_have_another_size_for_each_label() -> None:
    """Arms of equal size follow the smallest corpus, label by label."""
    sample = numbered(9, 9).sample_per_label({"red": 2, "green": 5}, 0)

    assert sample.counts() == {"red": 2, "green": 5}


def test_the_content_hash_knows_texts_labels_names_and_order() -> None:
    """Whatever a classifier would learn otherwise gives another hash; names of rows do not."""
    texts = labelled(("a", 0), ("b", 1))
    renamed = LabelledTexts(texts.texts, texts.labels, texts.label_names, ("x", "y"))
    others = [
        labelled(("a", 1), ("b", 0)),
        labelled(("b", 1), ("a", 0)),
        labelled(("ab", 0), ("", 1)),
        LabelledTexts(texts.texts, texts.labels, ("red", "blue"), texts.ids),
        LabelledTexts(texts.texts, texts.labels, (*NAMES, "blue"), texts.ids),
    ]

    assert renamed.content_hash == texts.content_hash
    assert len({each.content_hash for each in [texts, *others]}) == 6
