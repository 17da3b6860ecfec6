"""From answers to the texts of a corpus: parsing, filters, choice, and the record of it all."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.choosing import labelled_texts
from builders.composition import Composition, Order, compose
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.facts import CorpusRecord
from builders.filters.copies import CopyIndex
from builders.llms.base import RecordedLLM
from builders.llms.recording import Recording
from builders.requests import Completion, Request
from builders.tasks import Prompt, Task, load_task

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "out door": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label}."),
    length_words=(3, 8),
)

GOOD = {
    "in/door": (
        "The fern beside the window wants shade.",
        "Water the orchid twice a month.",
        "My cactus lives on the kitchen shelf.",
        "Wipe dust off the rubber tree.",
    ),
    "out door": (
        "Prune apple trees before spring comes.",
        "Slugs ate every lettuce last night.",
        "An oak drops acorns over the lawn.",
        "Roses along the fence need sun.",
    ),
}


class Scripted(RecordedLLM):
    """An LLM whose answers the test wrote; it reads the messages, so few-shot needs examples."""

    model = endpoint = "scripted"
    description = "a script"

    def __init__(self, answer: Callable[[Request], str] | None = None) -> None:
        self._answer = answer or (lambda request: json.dumps({"texts": GOOD[request.id.label]}))
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Completion:
        """Answer by the script."""
        self.asked.append(request)
        return Completion(self._answer(request), "stop", f"script-{request.id.turn}")


def composed(*texts: str, **settings: Any) -> Composition:
    """Compose a corpus whose first label has these texts, and whose second has the good ones."""
    texts = texts or GOOD["in/door"]

    def answer(request: Request) -> str:
        return json.dumps({"texts": texts if request.id.label == "in/door" else GOOD["out door"]})

    order = Order("zero_shot", settings.pop("per_label", 4), settings.pop("portion", 4), seed=0)
    return compose(TASK, order, Scripted(answer), **settings)


def real_texts(*texts: str) -> LabelledTexts:
    """Return training texts, half of them of each label."""
    labels = tuple(i % 2 for i in range(len(texts)))
    return LabelledTexts(texts, labels, TASK.label_names, tuple(map(str, range(len(texts)))))


def total(record: CorpusRecord) -> int:
    """Add up what became of the candidates."""
    rejected = sum(n for reasons in record.rejected.values() for n in reasons.values())
    return sum(record.kept.values()) + sum(record.surplus.values()) + rejected


# ---- What is kept, and why the rest is not --------------------------------------------------


def test_a_corpus_has_the_accepted_texts_with_their_provenance() -> None:
    """Each text knows the request and its place in the answer."""
    composition = composed()

    assert composition.texts.texts == GOOD["in/door"] + GOOD["out door"]
    assert composition.texts.labels == (0, 0, 0, 0, 1, 1, 1, 1)
    assert composition.texts.ids[1] == "plants/zero_shot/in/door/c0/t1/1"
    assert composition.kept[5].model == "script-1"


def test_every_rejected_text_has_its_reason_under_its_label() -> None:
    """Duplicate, empty, too long and near duplicate: one each, none of the other label."""
    long = "word " * 17  # more than twice the most words, 8
    near = GOOD["in/door"][0].replace("wants", "want")

    record = composed(*GOOD["in/door"][:2], GOOD["in/door"][0].upper(), " ", long, near).record

    assert record.rejected == {
        "in/door": {"duplicate": 1, "empty": 1, "length": 1, "near_duplicate": 1},
        "out door": {},
    }
    assert record.kept == {"in/door": 2, "out door": 4}
    assert record.shortfall == {"in/door": 2}
    assert record.candidates == total(record) == 10


def test_a_text_a_little_out_of_length_is_kept_and_counted() -> None:
    """Nine words where eight are the most: a warning, not a rejection."""
    record = composed("This fern grows in the shade of two oaks.").record

    assert record.kept["in/door"] == 1
    assert record.warnings == {"length": 1}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty"),
        ("Let me think about it.", "unparsable"),
        ("I'm sorry, but I can't.", "refusal"),
    ],
)
def test_an_answer_without_texts_is_a_failed_request_with_its_reason(
    answer: str, reason: str
) -> None:
    """Such requests are counted apart from rejected texts."""

    def say(request: Request) -> str:
        return answer if request.id.turn == 2 else json.dumps({"texts": GOOD[request.id.label]})

    record = compose(TASK, Order("zero_shot", 8, 4), Scripted(say)).record

    assert record.failed_requests == {reason: 2}  # turn 2 of each label
    assert record.kept == {"in/door": 4, "out door": 4}


def test_a_label_of_which_nothing_is_kept_counts_zero() -> None:
    """The record names every label of the task, in the task's order."""
    record = composed(" ").record

    assert list(record.kept.items()) == [("in/door", 0), ("out door", 4)]
    assert record.surplus == {"in/door": 0, "out door": 0}


def test_models_are_named_as_the_answers_name_them() -> None:
    """Models of which no text was kept are not named."""
    assert composed().record.models == ("script-1",)


@given(st.lists(st.sampled_from([*GOOD["in/door"], " ", "No", "word " * 20]), max_size=12))
def test_every_candidate_is_kept_surplus_or_rejected(texts: list[str]) -> None:
    """Nothing is dropped silently: the counts add up to the candidates."""
    record = composed(*texts, per_label=2).record

    assert total(record) == record.candidates


# ---- The choice -----------------------------------------------------------------------------


def test_all_are_kept_where_no_number_is_given() -> None:
    """A recording gives all that it holds."""
    record = compose(load_task("reddit_emotion"), Order("zero_shot"), Recording()).record

    assert record.requested_per_label == 200
    assert sum(record.surplus.values()) == 0


def test_fewer_are_drawn_by_the_seed_from_all_that_were_accepted() -> None:
    """Another seed chooses others, of every conversation and turn; the order stays."""
    task = load_task("reddit_emotion")
    every = compose(task, Order("zero_shot"), Recording()).texts
    some = [compose(task, Order("zero_shot", 20, seed=s), Recording()).texts for s in (0, 1, 0)]

    assert some[0] == some[2]
    assert some[0].ids != some[1].ids
    for texts in some:
        assert texts.counts() == {"joy": 20, "sadness": 20}
        places = [every.ids.index(name) for name in texts.ids]
        assert places == sorted(places)
        assert len({name.split("/")[-2] for name in texts.ids}) > 3  # turns they are from


def test_the_choice_among_one_label_does_not_depend_on_the_other() -> None:
    """What the filters did to one label leaves the draw of the other as it was."""
    one = composed(*GOOD["in/door"], per_label=2).texts
    other = composed(*GOOD["in/door"][:3], per_label=2).texts

    assert one.ids[2:] == other.ids[2:]


def test_what_was_accepted_but_not_needed_is_surplus() -> None:
    """Of four accepted texts two are wanted: two are left over, none is missing."""
    record = composed(per_label=2).record

    assert record.surplus == {"in/door": 2, "out door": 2}
    assert record.shortfall == {}


def test_the_content_hash_is_that_of_the_kept_texts() -> None:
    """Runs are known by it, so it has to change with the texts."""
    two, four = composed(per_label=2), composed()

    assert two.record.content_hash == labelled_texts(TASK, two.kept).content_hash
    assert two.record.content_hash != four.record.content_hash


# ---- Real texts: examples and contamination -------------------------------------------------


def test_a_copy_of_a_real_test_text_is_rejected() -> None:
    """Case and punctuation do not hide it."""
    record = composed(real_test_texts=["WATER the orchid: twice a month!"]).record

    assert record.rejected["in/door"] == {"real_test_copy": 1}
    assert record.statuses["real_test_copy"] == "checked"


def test_an_index_of_real_test_texts_may_be_shared() -> None:
    """Several builds need not index the same test texts again."""
    index = CopyIndex(["Water the orchid twice a month."], contained=True)

    assert composed(real_test_texts=index).record.rejected["in/door"] == {"real_test_copy": 1}


@pytest.mark.parametrize("texts", [None, []])
def test_without_real_test_texts_copies_are_not_checked(texts: list[str] | None) -> None:
    """No text to compare with is no count of 0."""
    assert composed(real_test_texts=texts).record.statuses["real_test_copy"] == "not checked"


def test_a_copy_of_an_example_that_the_prompt_showed_is_rejected() -> None:
    """A corpus does not give real training texts away."""
    train = real_texts(*(text for pair in zip(*GOOD.values(), strict=True) for text in pair))
    llm = Scripted(lambda r: json.dumps({"texts": [*r.examples, f"New words {r.id.label}."]}))

    record = compose(TASK, Order("few_shot", 4, 4), llm, train=train).record

    assert record.rejected["out door"] == {"seed_copy": 4}
    assert record.statuses["seed_copy"] == "checked"
    assert all(len(request.examples) == 4 for request in llm.asked)


def test_zero_shot_has_no_examples_to_copy() -> None:
    """The record says so instead of counting 0."""
    assert composed().record.statuses["seed_copy"] == "not applicable"


def test_few_shot_without_real_texts_is_refused_before_anything_is_asked() -> None:
    """An LLM that reads its prompt is not asked as if it were zero-shot."""
    llm = Scripted()
    for train in (None, real_texts()):
        with pytest.raises(UserError, match=r"few_shot shows real training texts of plants"):
            compose(TASK, Order("few_shot", 4, 4), llm, train=train)

    assert llm.asked == []


def test_a_recording_needs_no_examples_for_few_shot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its requests were sent long ago; where they are not at hand, copies are not checked."""
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)

    record = compose(load_task("humor"), Order("few_shot"), Recording()).record

    assert record.statuses["seed_copy"] == "not checked"
    assert record.recorded
    assert record.kept["serious"] > 190


def test_a_recording_is_not_checked_against_examples_drawn_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No texts of today were shown to its LLM, so none are drawn: one label here has none."""
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    train = LabelledTexts(("a b",), (0,), load_task("humor").label_names, ("0",))

    record = compose(load_task("humor"), Order("few_shot"), Recording(), train=train).record

    assert record.statuses["seed_copy"] == "not checked"


@pytest.mark.usefixtures("data_dir")
def test_the_recorded_requests_are_what_a_recordings_texts_are_checked_against() -> None:
    """With the request files at hand the check is done."""
    record = compose(load_task("humor"), Order("few_shot"), Recording()).record

    assert record.statuses["seed_copy"] == "checked"


# ---- Refusals and the record ----------------------------------------------------------------


def test_an_unknown_strategy_is_refused_before_the_recording_is_looked_at() -> None:
    """The message names the strategies, not what was recorded."""
    with pytest.raises(UserError, match="unknown strategy 'three_shot'"):
        compose(TASK, Order("three_shot"), Recording())


def test_what_an_llm_cannot_give_is_refused() -> None:
    """The refusal of the LLM comes through as it is."""
    with pytest.raises(UserError, match="--per-label 500"):
        compose(load_task("humor"), Order("zero_shot", 500), Recording())


@pytest.mark.parametrize("recorded", [True, False])
def test_a_record_comes_back_from_json_as_it_was(recorded: bool) -> None:
    """Whatever a build wrote down can be read again."""
    record = replace(composed().record, recorded=recorded, caveats=("Mind this.",), files="train-1")

    assert CorpusRecord.from_dict(json.loads(json.dumps(record.as_dict()))) == record


@pytest.mark.parametrize(
    "values", [[], {}, {"kept": []}, {**composed().record.as_dict(), "rejected": None}]
)
def test_something_else_is_no_record(values: Any) -> None:
    """A damaged record is a type error for the reader to name the file of."""
    with pytest.raises(TypeError):
        CorpusRecord.from_dict(values)


def test_the_same_order_gives_the_same_composition() -> None:
    """Nothing of a build depends on the clock, on hashing or on chance."""

    def once(texts: Iterable[str]) -> Composition:
        return composed(*texts, per_label=3)

    assert once(GOOD["in/door"]) == once(GOOD["in/door"])
