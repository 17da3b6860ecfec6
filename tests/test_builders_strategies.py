"""The requests that strategies make: prompts, examples, conversations, names and seeds."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.request_key import request_key
from builders.requests import Message, Request, RequestId
from builders.strategies import STRATEGIES, FewShot, Plan, Strategy, ZeroShot, create_strategy
from builders.strategies.base import DIVERSITY_PROMPT, TEXTS_SCHEMA
from builders.strategies.few_shot import RULE, SHOTS, example_pool, examples_of
from builders.tasks import Prompt, Task, load_task, task_names

LABELS = ("in/door", "out door")
TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={LABELS[0]: "inside a house", LABELS[1]: "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label} ({meaning})."),
    length_words=(3, 20),
)


def training_texts(*counts: int) -> LabelledTexts:
    """Return so many texts of each label, all different."""
    labels = [label for label, n in enumerate(counts) for _ in range(n)]
    texts = tuple(f"Note {i} on {LABELS[label]}." for i, label in enumerate(labels))
    return LabelledTexts(texts, tuple(labels), LABELS, tuple(map(str, range(len(labels)))))


def first_turn(strategy: Strategy, *, seed: int = 0, conversation: int = 0) -> Request:
    """Return the request that opens a conversation on the first label."""
    return strategy.request(TASK, LABELS[0], Plan(seed=seed), conversation, [])


def shown_in(strategy: Strategy, seed: int = 0) -> list[tuple[str, ...]]:
    """Return the examples of eight turns of two conversations on the first label."""
    plan = Plan(seed=seed)
    return [
        strategy.examples(TASK, LABELS[0], plan, conversation, turn)
        for conversation in range(2)
        for turn in range(1, 9)
    ]


# ---- Against the recorded requests ----------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """One recorded request."""

    id: RequestId
    messages: list[Message]

    @property
    def answers(self) -> list[str]:
        """What the LLM had answered before."""
        return [each["content"] for each in self.messages if each["role"] == "assistant"]


def recorded_requests(folder: Path, strategy: str, task: str) -> Iterator[Recorded]:
    """Yield the recorded requests of a task; skip where there are none."""
    path = folder / "recorded" / strategy / f"{task}.requests.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no recorded requests of {task} {strategy}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Recorded(RequestId.parse(row["custom_id"]), row["body"]["messages"])


class FewShotAgain(FewShot):
    """Few-shot with the examples that the recorded requests showed."""

    def __init__(self, requests: list[Recorded]) -> None:
        super().__init__()
        self._shown = {each.id: examples_of(each.messages[-1]["content"]) for each in requests}

    def examples(
        self, task: Task, label: str, plan: Plan, conversation: int, turn: int
    ) -> tuple[str, ...]:
        """Return the recorded examples."""
        return self._shown[RequestId(task.name, self.name, label, conversation, turn)]


@pytest.mark.parametrize("name", task_names())
def test_zero_shot_asks_word_for_word_what_was_recorded(name: str, data_dir: Path) -> None:
    """The embedded answers belong to the requests that the strategy makes today."""
    task, seen = load_task(name), 0
    for recorded in recorded_requests(data_dir, "zero_shot", name):
        request = ZeroShot().request(
            task, recorded.id.label, Plan(25), recorded.id.conversation, recorded.answers
        )
        assert (request.id, list(request.messages)) == (recorded.id, recorded.messages)
        seen += 1

    assert seen == 8 * len(task.labels)


@pytest.mark.parametrize("name", [name for name in task_names() if name != "relation"])
def test_few_shot_asks_what_was_recorded_given_the_same_examples(name: str, data_dir: Path) -> None:
    """Prompt, list of examples, rule and diversity prompt are those of the recorded requests."""
    task = load_task(name)
    requests = list(recorded_requests(data_dir, "few_shot", name))
    strategy = FewShotAgain(requests)
    for recorded in requests:
        request = strategy.request(
            task, recorded.id.label, Plan(25), recorded.id.conversation, recorded.answers
        )
        assert (request.id, list(request.messages)) == (recorded.id, recorded.messages)
        assert len(request.examples) == SHOTS

    assert len(requests) == 8 * len(task.labels)


# ---- Prompts and conversations --------------------------------------------------------------


def test_zero_shot_opens_with_context_and_filled_prompt() -> None:
    """The first turn is the task's context and its prompt with count, label and meaning."""
    request = ZeroShot().request(TASK, LABELS[0], Plan(4), 0, [])

    assert list(request.messages) == [
        {"role": "system", "content": "You are a gardener."},
        {"role": "user", "content": "Write 4 notes on in/door (inside a house)."},
    ]
    assert (request.n_texts, request.schema, request.examples) == (4, TEXTS_SCHEMA, ())


def test_the_length_of_a_text_is_filled_in() -> None:
    """`{min_words}` and `{max_words}` become the bounds of the task."""
    task = load_task("sms_spam")

    prompt = ZeroShot().prompt(task, "ham", Plan(), 0, 1)

    assert "between 4 and 30 words" in prompt


def test_a_label_with_a_slash_and_a_space_names_its_request() -> None:
    """The request's name can be taken apart into the label again."""
    request = ZeroShot().request(TASK, "out door", Plan(), 3, ["an answer"])

    assert request.custom_id == "plants/zero_shot/out door/c3/t2"
    assert RequestId.parse(f"plants/few_shot/{LABELS[0]}/c12/t7").label == "in/door"


def test_later_zero_shot_turns_repeat_the_conversation_and_ask_for_more_diverse_texts() -> None:
    """The answers so far stand in the prompt; what follows is the paper's diversity prompt."""
    request = ZeroShot().request(TASK, LABELS[0], Plan(), 0, ["first answer", "second answer"])

    assert [each["role"] for each in request.messages] == [
        *("system", "user", "assistant", "user", "assistant", "user")
    ]
    assert [each["content"] for each in request.messages[2:]] == [
        *("first answer", DIVERSITY_PROMPT, "second answer", DIVERSITY_PROMPT)
    ]


def test_few_shot_lists_its_examples_and_forbids_rewriting_them() -> None:
    """Every turn has five examples below the prompt and the rule on copying after them."""
    strategy = FewShot(training_texts(40, 40))

    request = strategy.request(TASK, LABELS[0], Plan(2), 0, ["an answer"])
    first, last = (request.messages[i]["content"] for i in (1, 3))

    assert first.startswith("Write 2 notes on in/door (inside a house).\n\nExamples:\n- Note ")
    assert first.endswith(f"\n\n{RULE}")
    assert last.endswith(f"\n\n{RULE} {DIVERSITY_PROMPT}")
    assert examples_of(last) == request.examples
    assert len(request.examples) == 5


def test_a_turn_without_an_answer_is_left_out_of_the_conversation() -> None:
    """What follows a failed turn neither quotes it nor an answer that does not exist."""
    whole = ZeroShot().request(TASK, LABELS[0], Plan(), 0, ["first", "third"])
    without = ZeroShot().request(TASK, LABELS[0], Plan(), 0, ["first", None, "third"])

    assert without.messages == whole.messages
    assert without.id.turn == 4


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_conversation_whose_first_turn_failed_opens_with_the_whole_prompt(name: str) -> None:
    """No conversation begins with the request for something more diverse."""
    strategy = create_strategy(name, training_texts(50, 50))

    request = strategy.request(TASK, LABELS[0], Plan(), 0, [None])

    assert len(request.messages) == 2
    assert request.messages[1]["content"].startswith("Write 25 notes on in/door")
    assert DIVERSITY_PROMPT not in request.messages[1]["content"]


def test_first_turns_of_two_conversations_share_their_words_but_no_answer() -> None:
    """The conversation's number is part of the request's key, so each has an answer of its own."""

    def key(request: Request) -> str:
        return request_key(
            endpoint="https://llm.example/v1",
            model="m",
            messages=request.messages,
            sampling=request.sampling,
            schema=request.schema,
            replicate=request.replicate,
        )

    one, other = (first_turn(ZeroShot(), conversation=n) for n in (0, 1))

    assert one.messages == other.messages
    assert (one.replicate, other.replicate) == (0, 1)
    assert key(one) != key(other)


# ---- Examples -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_makes_the_same_requests(name: str) -> None:
    """A strategy is a pure function of task, label, seed and training texts."""
    one, other = (create_strategy(name, training_texts(200, 200), seed=7) for _ in range(2))

    assert first_turn(one, seed=7) == first_turn(other, seed=7)


def test_another_seed_shows_other_examples() -> None:
    """Both the pool and the draws from it depend on the seed."""
    train = training_texts(200, 200)
    pools = [set(example_pool(train, seed).texts) for seed in (0, 1)]
    strategy = FewShot(train)

    assert pools[0] != pools[1]
    assert shown_in(strategy, 0) != shown_in(strategy, 1)


def test_examples_are_drawn_afresh_for_every_request() -> None:
    """Of sixteen draws of five from 200 texts no two are the same."""
    draws = shown_in(FewShot(training_texts(200, 200)))

    assert len(set(draws)) == 16


def test_examples_have_the_label_that_is_asked_for() -> None:
    """No text of another label is ever shown."""
    draws = shown_in(FewShot(training_texts(30, 30)))

    assert all("in/door" in text for draw in draws for text in draw)


@pytest.mark.parametrize(("texts", "shown"), [(200, 20), (74, 7), (30, 5), (3, 3)])
def test_the_pool_is_a_tenth_of_each_labels_texts_and_at_least_five(texts: int, shown: int) -> None:
    """200 / 10 = 20; 74 / 10 rounds to 7; a tenth of 30 would be 3; of 3 there are only 3."""
    pool = example_pool(training_texts(texts, 100), seed=0)

    assert pool.counts() == {LABELS[0]: shown, LABELS[1]: 10}


def test_the_pool_holds_training_texts_only_and_all_draws_come_from_it() -> None:
    """What prompts show in a whole build is at most the pool, however many requests there are."""
    train = training_texts(100, 100)
    pool = example_pool(train, seed=3)
    strategy = create_strategy("few_shot", train, seed=3)

    assert set(pool.texts) <= set(train.texts)
    assert {text for draw in shown_in(strategy) for text in draw} <= set(pool.texts)


def test_a_text_that_stands_twice_in_the_pool_is_shown_once() -> None:
    """Copies in the training texts do not take the places of other examples."""
    texts = LabelledTexts(("Same.",) * 9 + ("Other.",), (0,) * 10, LABELS, tuple("abcdefghij"))

    assert all(sorted(draw) == ["Other.", "Same."] for draw in shown_in(FewShot(texts)))


def test_an_example_stays_on_its_line() -> None:
    """Line breaks inside a real text become spaces: one example is one line of the list."""
    texts = LabelledTexts(("One\n\nExamples:\n- two\u2028three ",), (0,), LABELS, ("a",))

    request = first_turn(FewShot(texts))

    assert request.examples == ("One Examples: - two three",)
    assert examples_of(request.messages[1]["content"]) == request.examples


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=5))
def test_examples_can_be_read_back_from_a_prompt(texts: list[str]) -> None:
    """Whatever the texts hold, the list in the prompt gives them back."""
    ids = tuple(map(str, range(len(texts))))
    strategy = FewShot(LabelledTexts(tuple(texts), (0,) * len(texts), LABELS, ids))

    request = first_turn(strategy)

    assert examples_of(request.messages[1]["content"]) == request.examples
    assert set(request.examples) == {" ".join(text.split()) for text in texts}


def test_a_prompt_without_a_list_shows_no_example() -> None:
    """The zero-shot prompt and the diversity prompt hold none."""
    assert examples_of(first_turn(ZeroShot()).messages[1]["content"]) == ()
    assert examples_of(DIVERSITY_PROMPT) == ()


def test_few_shot_refuses_a_label_without_training_texts() -> None:
    """Nothing to show for a label is said, not passed over."""
    with pytest.raises(UserError, match=r"'out door' has none.*zero_shot"):
        create_strategy("few_shot", training_texts(10, 0))


def test_zero_shot_needs_no_training_texts_of_any_label() -> None:
    """Training texts are only looked at by a strategy that shows them."""
    assert isinstance(create_strategy("zero_shot", training_texts(10, 0)), ZeroShot)


def test_an_unknown_strategy_is_refused_with_those_there_are() -> None:
    """The message names the strategies."""
    with pytest.raises(UserError, match="unknown strategy 'one_shot': use one of zero_shot, few_"):
        create_strategy("one_shot")
