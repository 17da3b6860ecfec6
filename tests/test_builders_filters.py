"""What each filter rejects, what it leaves alone, and what the chain says about both."""

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.filters.base import Candidate, Filter, FilterChain
from builders.filters.chain import build_chain
from builders.filters.copies import CONTAINED_WORDS, THRESHOLD, CopyIndex
from builders.filters.duplicate import Duplicate
from builders.filters.empty import Empty
from builders.filters.label_named import LabelNamed
from builders.filters.length import Length, outside
from builders.filters.near_duplicate import NearDuplicate
from builders.filters.overlap import Probe
from builders.filters.real_test_copy import RealTestCopy
from builders.filters.refusal import Refusal
from builders.filters.seed_copy import SeedCopy
from builders.filters.shingles import jaccard, shingles
from builders.normalisation import comparison_key
from builders.requests import RequestId
from builders.tasks.base import Prompt, Task

HARBOUR = "The harbour master closed the inner dock on Friday after cracks were found in the wall"


def candidate(text: str, label: str = "good", index: int = 0) -> Candidate:
    """Return a candidate as a parsed answer gives it."""
    return Candidate(text, RequestId("notes", "zero_shot", label, 0, 1), index)


def task(*, least: int = 4, most: int = 10, forbid_label: bool = False) -> Task:
    """Return a task of two labels."""
    return Task(
        name="notes",
        title="Notes",
        description="Is it good?",
        labels={"good": "good", "bad": "bad"},
        prompt=Prompt("You write notes.", "Write {count} {label} notes."),
        length_words=(least, most),
        forbid_label=forbid_label,
    )


def chain(
    *filters: Filter, examples: list[str] | None = None, tests: list[str] | None = None
) -> FilterChain:
    """Return a chain of `filters`, or the whole chain of a task."""
    if filters:
        return FilterChain(filters)
    return build_chain(task(), seed_examples=examples, real_test_texts=tests)


# ---- refusal -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I do not have opinions on films.",
        "I'm sorry, but as an AI I cannot watch films.",
        "I am an AI assistant and can't feel joy.",
        "I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with that request.",
        "Sorry, I cannot generate content that insults people.",
        "I'm unable to fulfill this request because it breaks the guidelines.",
        "Sure, here are 25 SMS messages:",
        "Sure! Here are ten unique tweets about rain:",
        "Certainly! Here is a positive review:",
        "Here are some examples of sincere headlines:",
        "Of course, here are 10 more diverse examples.",
        "Let me know if you'd like more examples!",
        "I hope these examples help.",
        "Note: These texts are fictional.",
    ],
)
def test_refusals_and_talk_about_the_answer_are_rejected(text: str) -> None:
    """What only an assistant says is no text of any task."""
    assert not Refusal().keeps(candidate(text))


@pytest.mark.parametrize(
    "text",
    [
        "I can't believe the bus left without me again",
        "Sorry, I can't come tonight, can you help with the kids?",
        "Sorry can't help with that today, ask your sister",
        "I cannot write a review of this film without laughing",
        "Sure, here's the address, bring your own towels",
        "Sure, here's my plan: sleep until noon",
        "Of course it rains on the one day I wash the car",
        "Here are the winners of this year's village flower show",
        "Here are 7 tweets that sum up moving house with a cat",
        "Below are temperatures that the islands have not seen in years",
        "As an AI start-up, I thought we had better coffee than this",
        "As a nurse, I have seen worse",
        "Let me know if you want to go swimming on Sunday",
        "I hope these shoes last longer than the others",
        "New language model writes sonnets, critics unmoved",
        "Unfortunately, I am unable to attend the meeting",
    ],
)
def test_what_people_say_is_no_refusal(text: str) -> None:
    """Declining, apologising and handing something over are everyday speech, and stay."""
    assert Refusal().keeps(candidate(text))


def real_texts(folder: Path, task_name: str, split: str) -> Iterator[str]:
    """Yield the real texts of a task."""
    with gzip.open(folder / "real" / f"{task_name}.{split}.jsonl.gz", "rt") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def recorded_texts(folder: Path, strategy: str, task_name: str) -> Iterator[str]:
    """Yield the texts that an LLM was recorded to write for a task."""
    path = folder / "recorded" / strategy / f"{task_name}.responses.jsonl.gz"
    with gzip.open(path, "rt") as lines:
        for line in lines:
            message = json.loads(line)["response"]["body"]["choices"][0]["message"]
            yield from json.loads(message["content"])["texts"]


@pytest.mark.parametrize("name", ["sms_spam", "tweet_irony", "humor", "sarcasm_news"])
def test_no_real_text_is_a_refusal(data_dir: Path, name: str) -> None:
    """Messages, tweets, jokes and headlines that people wrote all pass."""
    assert [
        t for t in real_texts(data_dir, name, "test") if not Refusal().keeps(candidate(t))
    ] == []


@pytest.mark.parametrize("strategy", ["zero_shot", "few_shot"])
def test_no_recorded_text_is_refused_or_empty(data_dir: Path, strategy: str) -> None:
    """Of the recorded answers no text is taken for a refusal or for nothing."""
    names = sorted(
        p.name.split(".")[0] for p in (data_dir / "recorded" / strategy).glob("*.responses.*")
    )
    checks = chain(Refusal(), Empty())
    for name in names:
        texts = list(recorded_texts(data_dir, strategy, name))
        assert len(texts) >= 400  # 200 a label
        assert checks.run(candidate(text) for text in texts).rejected == ()


# ---- empty -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " \n", "...", "?!", "---", "===", "***", "``", "$", "\u00a0"])
def test_a_text_without_letters_digits_and_emoji_is_empty(text: str) -> None:
    """Punctuation, rules and signs say nothing by themselves."""
    assert not Empty().keeps(candidate(text))


@pytest.mark.parametrize(
    "text", ["k", "7", "\u00fc", "\u96e8", "\N{GRINNING FACE}", "\u2764", "\U0001fae8", "... ok"]
)
def test_a_letter_a_digit_or_an_emoji_is_a_text(text: str) -> None:
    """An emoji alone is a message, in any script a letter is, and so is an emoji of tomorrow."""
    assert Empty().keeps(candidate(text))


# ---- length ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "stays", "odd"),
    [
        # A task that asks for 5 to 10 words: below 2.5 and above 20 is rejected.
        *((2, False, True), (3, True, True), (4, True, True), (5, True, False)),
        *((10, True, False), (11, True, True), (20, True, True), (21, False, True)),
    ],
)
def test_length_rejects_beyond_half_and_double_and_warns_outside(
    words: int, stays: bool, odd: bool
) -> None:
    """Both bounds are inclusive; between the wide and the asked range a text is only odd."""
    text = candidate(" ".join(["word"] * words))
    notes = task(least=5, most=10)
    assert (Length(notes).keeps(text), Length(notes).warns(text)) == (stays, odd)
    assert outside(notes, text.text) is odd


def test_warnings_count_the_odd_ones_among_those_that_stay() -> None:
    """The chain counts the warnings of the texts it is given, by the filter's reason."""
    whole = chain()
    result = whole.run(candidate(" ".join([f"w{n}"] * n), index=n) for n in (1, 2, 3, 4, 10, 11))
    # 4 to 10 words are asked for: 1 word is rejected; 2, 3 and 11 stay and are odd.
    assert result.rejected_by_reason() == {"length": 1}
    assert whole.warnings(result.kept) == {"length": 3}
    assert whole.warnings(result.kept[2:4]) == {}


# ---- label named -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("joy", "What a JOY to see you"),
        ("joy", "so happy #joy"),
        ("sci/tech", "Our sci/tech desk reports"),
        ("sci/tech", "Sci-Tech news of the day"),
        ("non_irony", "This is non-irony, I mean it"),
        ("competition class", "the Competition Class of the boat"),
    ],
)
def test_a_text_that_names_its_label_is_rejected(label: str, text: str) -> None:
    """Case, hash signs and what stands between the label's words do not hide it."""
    assert not LabelNamed().keeps(candidate(text, label))


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("joy", "a joyful day, enjoy it"),
        ("sci/tech", "a tech company hires"),
        ("non_irony", "the irony of it"),
        ("competition class", "a class of its own in this competition"),
        ("joy", "pure sadness"),
    ],
)
def test_parts_of_words_and_other_labels_do_not_name_it(label: str, text: str) -> None:
    """Only all of the label's own words, whole and in their order, name it."""
    assert LabelNamed().keeps(candidate(text, label))


def test_labels_may_be_named_unless_the_task_forbids_it() -> None:
    """The filter stands in the chain only where the task says so."""
    text = [candidate("a good day for all of us")]
    for forbidden in (False, True):
        notes = task(forbid_label=forbidden)
        result = build_chain(notes, seed_examples=None, real_test_texts=None).run(text)
        assert result.rejected_by_reason() == ({"label_named": 1} if forbidden else {})
        assert ("label_named" in result.statuses) is forbidden


# ---- duplicates and near duplicates ------------------------------------------------------------


def test_a_duplicate_differs_in_case_punctuation_and_spacing_only() -> None:
    """The first stays; what equals it as words does not, even under another label."""
    texts = [candidate("See you at 5!"), candidate("see  you at 5", "bad"), candidate("See you")]
    result = chain(Duplicate()).run(texts)
    assert (result.kept, result.rejected) == ((texts[0], texts[2]), ((texts[1], "duplicate"),))


def test_a_rejected_text_does_not_make_the_next_one_a_duplicate() -> None:
    """Filters compare with what the corpus holds, not with what was thrown away."""
    text = candidate(HARBOUR)
    result = chain(Duplicate(), NearDuplicate(), SeedCopy([HARBOUR])).run([text, text])
    assert result.rejected_by_reason() == {"seed_copy": 2}


def test_emoji_alone_are_told_apart() -> None:
    """Two texts of nothing but different emoji are no duplicates."""
    texts = [candidate("\N{GRINNING FACE}"), candidate("\N{CRYING FACE}")]
    assert chain(Duplicate(), NearDuplicate()).run(texts).rejected == ()


def test_a_near_duplicate_differs_in_a_word() -> None:
    """One word more in a sentence is the same text; a sentence of its pattern is not."""
    texts = [
        candidate(HARBOUR),
        candidate(HARBOUR.replace("closed", "then closed")),
        candidate("The station master closed the upper hall on Monday after leaks in the roof"),
    ]
    result = chain(NearDuplicate()).run(texts)
    assert result.rejected == ((texts[1], "near_duplicate"),)


# ---- the index of copies -----------------------------------------------------------------------


def test_jaccard_of_shingles_is_shared_over_all() -> None:
    """`abcdefg` has 3 shingles of 5, `abcdefx` shares the first 2; 4 in all: 2/4."""
    assert shingles("abcdefg") == {"abcde", "bcdef", "cdefg"}
    assert jaccard(shingles("abcdefg"), shingles("abcdefx")) == 0.5


def test_a_text_shorter_than_a_shingle_matches_itself_only() -> None:
    """Very short texts are copies when they are equal, and not before."""
    index = CopyIndex(["ok"])
    assert index.copy_of("OK!") == "ok"
    assert index.copy_of("okay") is None


WORDS = st.sampled_from(["a", "be", "cat", "door", "eight", "seven", "harbour", "lantern", "42"])
SENTENCES = st.lists(WORDS, max_size=14).map(" ".join)


def first_copied(known: Sequence[str], text: str, threshold: float) -> str | None:
    """Return what an index has to find, by comparing the text with every known one."""
    keys, key = list(map(comparison_key, known)), comparison_key(text)
    if key in keys:
        return key
    own = shingles(key)
    return next((each for each in keys if jaccard(own, shingles(each)) >= threshold), None)


@given(
    st.lists(SENTENCES, max_size=6),
    st.lists(SENTENCES, max_size=6),
    SENTENCES,
    st.sampled_from([0.3, 0.5, THRESHOLD, 0.95]),
)
def test_an_index_finds_just_what_comparing_with_every_text_finds(
    first: list[str], added: list[str], text: str, threshold: float
) -> None:
    """Nothing is missed and nothing called a copy by chance, whenever a text became known."""
    index = CopyIndex(first, threshold=threshold)
    for each in added:
        index.add(each)
    assert index.copy_of(text) == first_copied(first + added, text, threshold)


@given(st.integers(1, 400), st.integers(0, 200), st.integers(0, 10**6))
def test_a_copy_is_found_at_the_very_threshold(length: int, cut: int, seed: int) -> None:
    """A text cut short, or made longer, is a copy as long as the exact index says so."""
    rng = random.Random(seed)
    long = "".join(rng.choices("abcdefghij", k=length + cut))
    short = long[:length]
    for known, text in ((long, short), (short, long)):
        grown = CopyIndex()
        grown.add(known)
        for index in (CopyIndex([known]), grown):
            assert index.copy_of(text) == first_copied([known], text, THRESHOLD)


def test_shingles_that_share_a_number_hide_no_copy() -> None:
    """Ten pairs of shingles with one number each: a copy at the threshold is found all the same.

    2 * 0x9E3779B1 - 49 * 0x85EBCA6B - 6 * 0xC2B2AE35 - 43 * 0x27D4EB2F
    - 4 * 0x165667B1 is a multiple of 2**32, so code points that differ by these are not told apart.
    20 words of 5 and the spaces between have 115 shingles; 49 more leave 115 / 164 = 0.701.
    """
    words = []
    for n in range(10):
        word = [0x5000 + 200 * n + place for place in (100, 101, 102, 103, 104)]
        words.append("".join(map(chr, word)))
        words.append("".join(chr(c + d) for c, d in zip(word, (2, -49, -6, -43, -4), strict=True)))
    short = " ".join(words)
    long = f"{short} {''.join(chr(0x6000 + n) for n in range(48))}"
    probe = Probe.of(short, THRESHOLD)
    assert (len(probe.shingles), len(probe.numbers)) == (115, 105)
    assert jaccard(shingles(short), shingles(long)) == 115 / 164
    for known, text in ((long, short), (short, long)):
        grown = CopyIndex()
        grown.add(known)
        assert CopyIndex([known]).copy_of(text) == grown.copy_of(text) == known


def test_long_known_texts_fill_several_tables() -> None:
    """Of 45 texts of 100,000 characters the first, one in the middle and the last are found."""
    rng = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    known = ["".join(rng.choices(letters, k=100_000)) for _ in range(45)]
    index = CopyIndex(known)
    for number in (0, 22, 44):
        assert index.copy_of(known[number][:80_000]) == known[number]
    assert index.copy_of("".join(rng.choices(letters, k=100_000))) is None


def test_near_copies_are_found() -> None:
    """Of 200 texts with one word of fourteen changed every one is found (Jaccard 0.78 or more)."""
    texts = [
        f"{HARBOUR} number {n * 7919} and the {n * 104729} gulls of pier {n * 1299709} left early"
        for n in range(200)
    ]
    index = CopyIndex(texts)
    changed = [text.replace("gulls", "crows") for text in texts]
    pairs = zip(map(comparison_key, texts), map(comparison_key, changed), strict=True)
    own = [jaccard(shingles(one), shingles(other)) for one, other in pairs]
    assert min(own) > 0.78
    assert all(index.copy_of(text) is not None for text in changed)


def test_the_outcome_is_the_same_in_every_process() -> None:
    """Python's own string hash, which differs between processes, decides nothing."""
    code = (
        "from builders.filters.copies import CopyIndex\n"
        "texts = [f'the {n} ducks on pond {n * n} have left it {n} times' for n in range(80)]\n"
        "index = CopyIndex(texts[::2], threshold=0.5)\n"
        "print([index.copy_of(text) for text in texts])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert "ducks" in outputs.pop()


def test_a_text_that_holds_a_known_one_is_a_copy_from_eight_words() -> None:
    """A whole text inside a longer one is copied; a set phrase of seven words is not."""
    eight = "mind the gap between train and platform please"
    assert len(eight.split()) == CONTAINED_WORDS
    seven = "mind the gap between train and platform"
    longer = f"Every morning a voice tells sleepy people to {eight.upper()}, and nobody ever does."
    assert CopyIndex([eight], contained=True).copy_of(longer) == eight
    assert CopyIndex([eight]).copy_of(longer) is None
    assert CopyIndex([seven], contained=True).copy_of(longer) is None


def test_a_part_of_a_known_text_is_no_copy_of_it() -> None:
    """What starts as a known text does, even with all of its words but the last, goes on freely."""
    known = f"{HARBOUR} and nobody had noticed them before"
    text = f"{HARBOUR}. It opens again when the masons have mended every one of those cracks."
    assert CopyIndex([known], contained=True).copy_of(text) is None


def test_an_excerpt_of_a_known_text_is_a_copy_from_eight_words() -> None:
    """At its begin, inside or at its end; seven words are none, nor is a part of a word."""
    known = (
        f"Long ago it was written that {HARBOUR}, and then a great many other things as well " * 9
    )
    index = CopyIndex([known, "some other text of no more than ten words or so"], contained=True)
    words = comparison_key(known).split()

    for start in (0, 20, len(words) - CONTAINED_WORDS):
        text = " ".join(words[start : start + CONTAINED_WORDS]).capitalize()
        assert index.copy_of(f"{text}!") == comparison_key(known)
        assert index.copy_of(text.rsplit(" ", 1)[0]) is None
        assert index.copy_of(f"{text}x") is None
        assert CopyIndex([known]).copy_of(text) is None


def test_a_known_text_ends_with_a_whole_word() -> None:
    """A known text that ends inside a longer word is not held in the text."""
    known = "a b c d e f g h car"
    assert CopyIndex([known], contained=True).copy_of(f"{known} z y x w v u t s r q p") == known
    assert CopyIndex([known], contained=True).copy_of(f"{known}pet z y x w v u t s r q p") is None


# ---- copies of real texts ----------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["seed_copy", "real_test_copy"])
def test_copies_of_real_texts_are_rejected_by_their_reason(reason: str) -> None:
    """Verbatim, nearly verbatim, inside a longer text and in part; the same style is none."""
    copies = [
        candidate(HARBOUR.upper()),
        candidate(HARBOUR.replace("Friday", "Fridays")),
        candidate(f"Reporters say: {HARBOUR}, and that it may take many months to mend it all."),
        candidate(" ".join(HARBOUR.split()[:CONTAINED_WORDS])),
    ]
    own = candidate("The harbour office opened a second dock on Sunday once the paint was dry")
    one: Filter = SeedCopy([HARBOUR]) if reason == "seed_copy" else RealTestCopy([HARBOUR])
    result = chain(one).run([*copies, own])
    assert result.kept == (own,)
    assert result.rejected == tuple((each, reason) for each in copies)


def test_what_was_not_at_hand_is_not_checked() -> None:
    """Without reference texts nothing is rejected, and the status does not claim a check."""
    absent: tuple[list[str] | None, ...] = (None, [])
    for nothing in absent:
        result = chain(examples=nothing, tests=nothing).run([candidate("one two three four")])
        assert result.statuses["seed_copy"] == "not checked"
        assert result.statuses["real_test_copy"] == "not checked"
        assert len(result.kept) == 1


def test_a_strategy_without_examples_has_nothing_to_check() -> None:
    """Where prompts show no examples the status says so, whatever else is at hand."""
    for examples in (None, [HARBOUR]):
        whole = build_chain(
            task(most=30), seed_examples=examples, real_test_texts=None, shows_examples=False
        )
        result = whole.run([candidate(HARBOUR)])
        assert result.statuses["seed_copy"] == "not applicable"
        assert len(result.kept) == 1


def test_chains_may_share_an_index_of_real_texts() -> None:
    """An index that was built once serves like the texts themselves, and is not changed."""
    index = CopyIndex([HARBOUR], contained=True)
    for _ in range(2):
        whole = build_chain(task(most=30), seed_examples=None, real_test_texts=index)
        result = whole.run([candidate(HARBOUR), candidate("one two three four")])
        assert result.rejected_by_reason() == {"real_test_copy": 1}
        assert result.statuses["real_test_copy"] == "checked"
    assert len(index) == 1


def few_shot_examples(folder: Path, name: str) -> list[str]:
    """Return the real examples that the recorded few-shot prompts of a task showed."""
    examples: dict[str, None] = {}
    with gzip.open(folder / "recorded" / "few_shot" / f"{name}.requests.jsonl.gz", "rt") as lines:
        for line in lines:
            for message in json.loads(line)["body"]["messages"]:
                listed = message["content"].partition("\n\nExamples:\n")[2].partition("\n\n")[0]
                examples.update(dict.fromkeys(each[2:] for each in listed.splitlines()))
    return list(examples)


@pytest.mark.parametrize("name", ["sms_spam", "tweet_irony", "relation_wiki"])
def test_imitation_of_examples_is_no_copy_of_them(data_dir: Path, name: str) -> None:
    """Recorded few-shot texts take over the style of their examples; none is rejected for it."""
    examples = few_shot_examples(data_dir, name)
    assert len(examples) >= 70
    texts = [candidate(text) for text in recorded_texts(data_dir, "few_shot", name)]
    filters = SeedCopy(examples), NearDuplicate()
    assert chain(*filters).run(texts).rejected == ()
    assert chain(SeedCopy(examples)).run(map(candidate, examples)).kept == ()


# ---- the chain ---------------------------------------------------------------------------------


def test_the_first_filter_that_rejects_names_the_reason() -> None:
    """One candidate for each reason, in the order of the chain; every one gets its own."""
    seed = "five wooden boats lay upside down along the frozen canal"
    test = "her third letter arrived long after everyone had moved away"
    texts = {
        "I can't help with that.": "refusal",
        "... !": "empty",
        "Hi": "length",
        "the old clock in our hall is ten minutes late again": None,
        "The OLD clock in our hall is ten minutes late, again": "duplicate",
        "the old clock in our hall is ten minutes late again too": "near_duplicate",
        seed: "seed_copy",
        test: "real_test_copy",
    }
    whole = chain(examples=[seed], tests=[test])
    found = whole.run(candidate(text, index=i) for i, text in enumerate(texts))
    reasons = {each.text: reason for each, reason in found.rejected}
    assert reasons == {text: reason for text, reason in texts.items() if reason}
    assert [f.reason for f in whole.filters] == [r for r in texts.values() if r]


@given(st.lists(SENTENCES, max_size=12))
def test_every_candidate_is_kept_or_rejected_once(texts: list[str]) -> None:
    """Nothing is lost between the filters, and the order stays."""
    candidates = [candidate(text, index=i) for i, text in enumerate(texts)]
    result = chain().run(candidates)
    rejected = [each for each, _ in result.rejected]
    assert sorted([*result.kept, *rejected], key=lambda c: c.index) == candidates
    assert list(result.kept) == sorted(result.kept, key=lambda c: c.index)


def test_reasons_are_counted_by_label() -> None:
    """The counts of all labels add up, and each label has its own."""
    texts = [candidate("...", "good"), candidate("...", "bad"), candidate("Hi", "bad")]
    result = chain().run(texts)
    assert result.rejected_by_reason() == {"empty": 2, "length": 1}
    assert result.rejected_by_reason("bad") == {"empty": 1, "length": 1}
