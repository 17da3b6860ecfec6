"""Semantic versions, and which one a changed corpus gets."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from packaging.version import Version as Oracle

from builders.errors import UserError
from push_scripts.corpus_difference import difference
from push_scripts.corpus_release import Configuration, Contents
from push_scripts.versions import FIRST, Change, Level, Version, next_version

numbers = st.integers(0, 10**6)
versions = st.builds(Version, numbers, numbers, numbers)
levels = st.sampled_from(Level)

# ---- Versions -------------------------------------------------------------------------------


@given(versions)
def test_a_version_is_read_back_from_what_is_written(version: Version) -> None:
    """As a version and as a tag."""
    assert Version.parse(str(version)) == version
    assert Version.from_tag(version.tag) == version


@given(versions, versions)
def test_versions_are_ordered_by_number_and_not_by_text(one: Version, other: Version) -> None:
    """As the packaging library orders them: 1.10.0 is above 1.9.0."""
    assert (one < other) == (Oracle(str(one)) < Oracle(str(other)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "v1.2.3",
        "01.2.3",
        "1.2.3-rc1",
        "1.2.3+a",
        " 1.2.3",
        "1.2.3\n",
        "1.-2.3",
        "\u0661.2.3",
    ],
)
def test_what_is_not_three_plain_numbers_is_no_version(text: str) -> None:
    """Neither as a version nor, behind a `v`, as a tag."""
    with pytest.raises(UserError, match=r"is not of the form X\.Y\.Z; give one like 1\.2\.0"):
        Version.parse(text)
    assert Version.from_tag(f"v{text}") is None


@given(versions, levels)
def test_a_raised_version_is_the_next_of_its_level(version: Version, level: Level) -> None:
    """Lower parts begin again at 0; nothing lies between, but for versions of a lower level."""
    raised = version.raised(level)

    assert (
        raised
        == {
            Level.NONE: version,
            Level.PATCH: Version(version.major, version.minor, version.patch + 1),
            Level.MINOR: Version(version.major, version.minor + 1, 0),
            Level.MAJOR: Version(version.major + 1, 0, 0),
        }[level]
    )
    assert (raised > version) == (level > Level.NONE)


# ---- Which version is next ------------------------------------------------------------------


@given(levels)
def test_the_first_release_is_1_0_0(level: Level) -> None:
    """Whatever there is to say of its contents."""
    assert next_version(None, Change(level, ())) == FIRST == Version(1, 0, 0)


@given(versions, levels, st.none() | versions)
@example(Version(1, 0, 0), Level.PATCH, Version(1, 0, 0))
def test_a_version_can_be_asked_for_upward_only(
    last: Version, level: Level, asked: Version | None
) -> None:
    """What is asked for is had from what the changes need upward, and refused below."""
    change = Change(level, ("because",) if level else ())
    computed = last.raised(level)
    if asked is None or asked >= computed:
        assert next_version(last, change, asked) == (asked or computed)
        return
    with pytest.raises(UserError, match="leave --version out"):
        next_version(last, change, asked)


@given(versions, st.sampled_from([Level.PATCH, Level.MINOR, Level.MAJOR]))
def test_a_released_version_is_never_released_again_with_other_content(
    last: Version, level: Level
) -> None:
    """The message says what is other, and which version it takes."""
    with pytest.raises(UserError) as error:
        next_version(last, Change(level, ("three rows changed",)), last)

    assert str(error.value) == (
        f"version {last}: is released with other content (three rows changed) and stays as it is; "
        f"leave --version out, or give {last.raised(level)} or a higher one"
    )


# ---- What changed ---------------------------------------------------------------------------

FEATURES = {
    "id": {"dtype": "string", "_type": "Value"},
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["calm", "loud"], "_type": "ClassLabel"},
}


def configuration(rows: dict[str, tuple[Any, ...]], **changes: Any) -> Configuration:
    """Return a configuration whose files are named by what they hold."""
    made = Configuration(
        FEATURES, "asked so", {"x/train.parquet": repr(sorted(rows.items()))}, lambda: rows
    )
    return replace(made, **changes)


def contents(**configurations: Configuration) -> Contents:
    """Return what a release of the task `noise` holds."""
    return Contents("noise", configurations, {})


ROWS = {"a": ("A door creaks.", 0), "b": ("A drum rolls.", 1)}
rows_of = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.sampled_from("xyz"), st.just(0)))


@given(rows_of, rows_of)
def test_rows_decide_between_none_patch_and_minor(
    before: dict[str, tuple[str, int]], after: dict[str, tuple[str, int]]
) -> None:
    """Changed or removed: minor. Only added: patch. The same: none."""
    assume(before and after)
    lost = before.keys() - after.keys()
    other = [i for i in before.keys() & after.keys() if before[i] != after[i]]
    added = after.keys() - before.keys()

    change = difference(
        contents(zero_shot=configuration(before)), contents(zero_shot=configuration(after))
    )

    assert change.level == (Level.MINOR if lost or other else Level.PATCH if added else Level.NONE)
    assert bool(change.reasons) == bool(change.level)


def test_the_reason_counts_the_rows() -> None:
    """Added, removed and changed, and how many there are now."""
    after = {"b": ("A drum is rolled.", 1), "c": ("A bell.", 1), "d": ("Rain.", 0)}

    change = difference(
        contents(zero_shot=configuration(ROWS)), contents(zero_shot=configuration(after))
    )

    assert change.reasons == ("zero_shot: rows 2 added, 1 removed, 1 changed (3 now)",)


def test_equal_rows_in_other_files_are_no_change() -> None:
    """Another writer of Parquet gives other bytes, and the same corpus."""
    old, new = configuration(ROWS), configuration(ROWS, files={"x/train.parquet": "other"})

    assert difference(contents(few_shot=old), contents(few_shot=new)) == (Level.NONE, ())


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["calm", "noisy"], "labels changed (without loud; with noisy)"),
        (["loud", "calm"], "labels changed (another order)"),
        (["calm", "loud", "shrill"], "labels changed (with shrill)"),
    ],
)
def test_other_labels_are_a_major_change(names: list[str], reason: str) -> None:
    """Index 1 means something else then, or may."""
    features = {**FEATURES, "label": {"names": names, "_type": "ClassLabel"}}

    change = difference(
        contents(zero_shot=configuration(ROWS)),
        contents(zero_shot=configuration(ROWS, features=features)),
    )

    assert change == (Level.MAJOR, (f"zero_shot: {reason}",))


def test_other_columns_are_a_major_change() -> None:
    """A reader that asks for a column finds it, or the major version is another."""
    features = {name: each for name, each in FEATURES.items() if name != "text"}

    change = difference(
        contents(zero_shot=configuration(ROWS)),
        contents(zero_shot=configuration(ROWS, features=features)),
    )

    assert change == (Level.MAJOR, ("zero_shot: other columns or types (text)",))


def test_other_prompts_are_a_major_change_and_stand_before_the_rows() -> None:
    """The weightiest reason is the first."""
    after = {**ROWS, "c": ("A whistle.", 1)}

    change = difference(
        contents(zero_shot=configuration(ROWS)),
        contents(zero_shot=configuration(after, prompts="asked otherwise")),
    )

    assert change == (
        Level.MAJOR,
        ("zero_shot: the LLM is asked in other words", "zero_shot: rows 1 added (3 now)"),
    )


def test_a_new_configuration_only_adds_and_a_removed_one_removes() -> None:
    """Patch and minor, with the number of rows."""
    one = contents(zero_shot=configuration(ROWS))
    both = contents(zero_shot=configuration(ROWS), few_shot=configuration(ROWS))

    assert difference(one, both) == (Level.PATCH, ("few_shot: new, with 2 rows",))
    assert difference(both, one) == (Level.MINOR, ("few_shot: removed, with its 2 rows",))


def test_another_default_configuration_is_a_minor_change() -> None:
    """Who names no configuration gets other rows."""
    one = contents(few_shot=configuration(ROWS))
    both = contents(zero_shot=configuration(ROWS), few_shot=configuration(ROWS))

    assert difference(one, both) == (
        Level.MINOR,
        (
            "zero_shot is the default configuration instead of few_shot",
            "zero_shot: new, with 2 rows",
        ),
    )


def test_a_new_configuration_with_other_labels_is_a_major_change() -> None:
    """All configurations of a release have the same labels."""
    features = {**FEATURES, "label": {"names": ["calm"], "_type": "ClassLabel"}}
    one = contents(zero_shot=configuration(ROWS))
    both = contents(zero_shot=configuration(ROWS), few_shot=configuration(ROWS, features=features))

    assert difference(one, both).level == Level.MAJOR
