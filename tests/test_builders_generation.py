"""Asking a live LLM over HTTP: order, quotas, retries, failures, budgets, and the corpus."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Answer, ChatServer, refusal, running_chat_server, written
from plants import PLANTS

from builders.composition import Composition, Live, Order, compose
from builders.corpus import write_corpus
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.generation import Asking, Budget, Caps, Generation, Progress, Stretch
from builders.generation.budget import Use
from builders.generation.outcome import Book, Talk
from builders.ledger import Ledger
from builders.llms.base import BudgetMet, Limits, Price, Sampling
from builders.llms.openai_chat import OpenAIChat
from builders.llms.openai_server import Connection
from builders.requests import Completion
from builders.strategies import Plan, ZeroShot

TASK = PLANTS


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """Run a server for one test."""
    with running_chat_server() as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a new ledger."""
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def llm_at(server: ChatServer, concurrency: int = 8, turns: int = 3, **settings: Any) -> OpenAIChat:
    """Return a client of the server."""
    connection = Connection(base_url=server.url, timeout_s=settings.pop("timeout_s", 100))
    llm = OpenAIChat("gardener-2", connection, Limits(concurrency), **settings)
    llm.turns = turns
    return llm


def composed(
    server: ChatServer,
    ledger: Ledger,
    per_label: int = 12,
    caps: Caps | None = None,
    watch: Callable[[Progress], object] = lambda progress: None,
    **settings: Any,
) -> Composition:
    """Compose a corpus, two texts a request."""
    llm = llm_at(server, **settings)
    live = Live(ledger, Budget.of(llm, caps), watch)
    return compose(TASK, Order("zero_shot", per_label, 2), llm, live=live)


def answer_two(body: dict[str, Any]) -> Answer:
    """Answer with two texts."""
    return Answer(written(body, 2))


def corpus_bytes(composition: Composition, folder: Path) -> dict[str, bytes]:
    """Write the corpus; return the content of each of its files."""
    write_corpus(composition, folder)
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    assert sorted(path.suffix for path in files) == [".json", ".md", ".parquet"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def first_of(label: str) -> Callable[[dict[str, Any]], bool]:
    """Return whether a body is the first turn of the first conversation of `label`."""
    return lambda body: (
        body["seed"] == 0 and len(body["messages"]) == 2 and label in body["messages"][1]["content"]
    )


# ---- Order and the window -------------------------------------------------------------------


def test_the_order_of_arrival_does_not_change_the_corpus(
    server: ChatServer, tmp_path: Path
) -> None:
    """One request at a time, or eight with the first answer last: every file is the same."""
    server.answer = answer_two
    with Ledger(tmp_path / "one.sqlite") as one:
        one_by_one = corpus_bytes(composed(server, one, concurrency=1), tmp_path / "one")
    slow = first_of("in/door")
    server.answer = lambda body: Answer(written(body, 2), delay_s=0.2 * slow(body))
    with Ledger(tmp_path / "eight.sqlite") as eight:
        at_once = corpus_bytes(composed(server, eight), tmp_path / "eight")

    assert at_once == one_by_one


def test_texts_stand_in_the_order_of_label_conversation_and_turn(
    server: ChatServer, ledger: Ledger
) -> None:
    """12 texts a label, 2 a request, 3 turns: two conversations of three turns each."""
    server.answer = answer_two

    ids = [str(c.request).removeprefix("plants/zero_shot/") for c in composed(server, ledger).kept]

    assert ids[::2] == [
        f"{label}/c{conversation}/t{turn}"
        for label in ("in/door", "out door")
        for conversation in (0, 1)
        for turn in (1, 2, 3)
    ]


def test_no_more_requests_are_in_flight_than_the_user_allows(
    server: ChatServer, ledger: Ledger
) -> None:
    """Of four conversations two are answered at once, and two wait.

    The first answer comes when two are asked for; a third would have time to come, too.
    """
    server.answer = lambda body: Answer(
        written(body, 2), delay_s=0.03, until=lambda: len(server.bodies) >= 2
    )

    composed(server, ledger, concurrency=2)

    assert server.peak == 2


def test_an_answer_is_recorded_before_more_is_asked(server: ChatServer, ledger: Ledger) -> None:
    """A kill at any moment loses what is in flight, which is eight requests, and nothing else.

    All eight are answered at once, so that their answers arrive together. Whenever a request comes,
    those that came before it and are not in the ledger are in flight, beside it.
    """
    missing: list[int] = []

    def answer(body: dict[str, Any]) -> Answer:
        with Ledger(ledger.path) as seen:
            missing.append(len(server.bodies) - len(seen))
        return Answer(written(body, 2), delay_s=0.02)

    server.answer = answer

    composed(server, ledger, per_label=64, turns=2)

    assert len(missing) == 64
    assert 1 <= max(missing) <= 8


NO_ROOM = """CREATE TRIGGER no_room BEFORE INSERT ON completions
BEGIN SELECT RAISE(ABORT, 'no room'); END"""


def test_where_an_answer_cannot_be_recorded_the_build_ends(
    server: ChatServer, ledger: Ledger
) -> None:
    """There is no room when the fifth comes: one line, and what is in flight is the last sent."""
    server.answer = answer_two
    taken = sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)

    def arrived(count: int) -> None:
        if count == 5:
            taken.execute(NO_ROOM)

    server.arrived = arrived

    with pytest.raises(UserError, match=r"ledger .*: no room"):
        composed(server, ledger, per_label=64, concurrency=2)

    taken.close()
    assert 5 <= len(server.bodies) <= 7


def test_what_a_ledger_does_not_take_at_first_is_kept_at_the_end(
    server: ChatServer, tmp_path: Path
) -> None:
    """There is room again when all in flight has ended: what was paid for is there."""

    class Full(Ledger):
        full = True

        def record_all(self, *answers: Any, **how: Any) -> list[Completion]:
            if self.full:
                self.full = False
                raise UserError("the disk is full")
            return super().record_all(*answers, **how)

    with Full(tmp_path / "ledger.sqlite") as ledger:
        # The first answer comes alone: what comes together is tried one by one, and would be kept.
        server.answer = lambda body: Answer(
            written(body, 2), until=lambda: body is server.bodies[0] or not ledger.full
        )
        with pytest.raises(UserError, match="the disk is full"):
            composed(server, ledger, per_label=64)

        assert len(ledger) == len(server.bodies) >= 1


def test_answers_that_do_not_fit_together_are_kept_one_by_one(
    server: ChatServer, tmp_path: Path
) -> None:
    """The disk has room for three of five that arrive together; with room again all are kept."""

    class Filling(Ledger):
        room = 3

        def record_all(self, answers: Any, *where: Any, **how: Any) -> list[Completion]:
            if len(answers) > self.room:
                raise UserError("the disk is full")
            self.room -= len(answers)
            return super().record_all(answers, *where, **how)

    asking = Asking(TASK, ZeroShot(), Plan(2), llm_at(server))
    talks = [Talk(Stretch("in/door", i, 1, 1)) for i in range(5)]
    with Filling(tmp_path / "ledger.sqlite") as ledger:
        book = Book(asking, ledger, Budget())
        for talk in talks:
            assert book.prepare(talk)
            book.arrived(talk, Completion(f"answer {talk.stretch.conversation}"))

        with pytest.raises(UserError, match="the disk is full"):
            book.keep()

        assert len(ledger) == 3
        assert [talk.contents for talk in talks[2:4]] == [["answer 2"], []]
        ledger.room = 2
        book.keep()
        assert len(ledger) == 5
        assert book.progress.answered == 5


def test_what_finishes_makes_room_at_once(server: ChatServer, ledger: Ledger) -> None:
    """While one answer takes long all other conversations are finished: no barrier."""
    slow = first_of("in/door")
    # 12 requests, three of the slow conversation: 9 are answered before its first turn is.
    server.answer = lambda body: Answer(
        written(body, 2), until=lambda: not slow(body) or len(server.finished) >= 9
    )

    composed(server, ledger, concurrency=4)

    assert [slow(body) for body in server.finished].index(True) == 9


def test_a_later_turn_quotes_the_answers_before(server: ChatServer, ledger: Ledger) -> None:
    """Three turns: one, three and five messages after the system's."""
    server.answer = answer_two

    composed(server, ledger)

    lengths = Counter(len(body["messages"]) for body in server.bodies)
    assert lengths == {2: 4, 4: 4, 6: 4}
    last = next(body for body in server.bodies if len(body["messages"]) == 6)
    roles = [message["role"] for message in last["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]


def test_max_tokens_and_a_seed_are_always_sent(server: ChatServer, ledger: Ledger) -> None:
    """A conversation's index is its seed; the bound is enough for the longest texts allowed."""
    server.answer = answer_two

    composed(server, ledger)

    assert {body["seed"] for body in server.bodies} == {0, 1}
    # 128 + 2 texts x (16 + 4 x 20 words)
    assert {body["max_tokens"] for body in server.bodies} == {320}


def test_another_seed_asks_for_other_texts(server: ChatServer, ledger: Ledger) -> None:
    """The words of zero-shot requests are the same; their replicates are not."""
    server.answer = answer_two
    llm = llm_at(server)
    live = Live(ledger, Budget.of(llm))

    one, other = (
        compose(TASK, Order("zero_shot", 4, 2, seed), llm, live=live).texts for seed in (0, 1)
    )

    assert not set(one.texts) & set(other.texts)


def test_progress_ends_at_the_number_of_requests(server: ChatServer, ledger: Ledger) -> None:
    """A line that counts requests ends at their number, of the ledger's or the server's."""
    server.answer = answer_two
    seen: list[Progress] = []
    composed(server, ledger, watch=seen.append)
    assert (seen[-1].planned, seen[-1].answered, seen[-1].known) == (12, 12, 0)

    composed(server, ledger, watch=seen.append)

    assert (seen[-1].planned, seen[-1].answered, seen[-1].known) == (12, 0, 12)


def test_it_runs_inside_an_event_loop(server: ChatServer, ledger: Ledger) -> None:
    """In a notebook a loop runs already."""
    server.answer = answer_two

    async def cell() -> Composition:
        return composed(server, ledger)

    assert len(asyncio.run(cell()).kept) == 24


# ---- Quotas ---------------------------------------------------------------------------------


def test_rejected_texts_are_asked_for_again_until_the_quota_is_met(
    server: ChatServer, ledger: Ledger
) -> None:
    """One text in two is too short: the corpus has its 12 a label all the same."""
    server.answer = lambda body: Answer([*written(body, 1), "Short"])

    composition = composed(server, ledger)

    assert composition.record.kept == {"in/door": 12, "out door": 12}
    assert composition.record.rejected["in/door"] == {"length": 12}
    assert composition.halt is None


def test_the_same_texts_are_asked_for_whatever_the_timing(
    server: ChatServer, tmp_path: Path
) -> None:
    """Rounds after the first depend on what was accepted, not on when it came."""
    server.answer = lambda body: Answer([*written(body, 1), "Short"])
    with Ledger(tmp_path / "one.sqlite") as one:
        steady = corpus_bytes(composed(server, one, concurrency=1), tmp_path / "a")
    delays = iter(i * 7 % 5 / 50 for i in range(10**6))
    server.answer = lambda body: Answer([*written(body, 1), "Short"], delay_s=next(delays))
    with Ledger(tmp_path / "eight.sqlite") as eight:
        shaken = corpus_bytes(composed(server, eight), tmp_path / "b")

    assert steady == shaken


def test_a_label_that_the_llm_cannot_fill_is_given_up(server: ChatServer, ledger: Ledger) -> None:
    """Its texts are always the same two: after ten rounds without a new one the build ends."""

    def answer(body: dict[str, Any]) -> Answer:
        stuck = "in/door" in body["messages"][1]["content"]
        return Answer(
            ["The fern wants some shade.", "Water it once a week."] if stuck else written(body, 2)
        )

    server.answer = answer
    composition = composed(server, ledger)

    assert composition.record.kept == {"in/door": 2, "out door": 12}
    assert composition.halt is not None
    assert composition.halt.futile
    assert composition.halt.why == (
        "no new text of 'in/door' passed in 10 rounds of requests (most of all: duplicate)"
    )
    assert composition.record.unfinished == composition.halt.why


# ---- Retries and failures -------------------------------------------------------------------


def once(first: Answer, condition: Callable[[dict[str, Any]], bool]) -> Callable[..., Answer]:
    """Return a behaviour that answers the first body of a kind with `first`."""
    done: list[bool] = []

    def answer(body: dict[str, Any]) -> Answer:
        if condition(body) and not done:
            done.append(True)
            return first
        return answer_two(body)

    return answer


@pytest.mark.parametrize(
    "first",
    [
        refusal(429, retry_after="0"),
        refusal(429, retry_after_ms="20"),
        refusal(500),
        refusal(503, retry_after="0"),
        Answer(None, 200, b"not json"),
        Answer(None, 200, b'{"choices": [{"message": {"content": 7}}]}'),
        Answer(None, 200, b'{"error": {"message": "overloaded", "code": 503}}'),
        Answer(None, 200, b"\xff\xfe{"),
    ],
    ids=["429", "429 ms", "500", "503", "no json", "no text", "error in 200", "no utf-8"],
)
def test_what_may_pass_is_sent_again(first: Answer, server: ChatServer, ledger: Ledger) -> None:
    """The corpus is whole, at the price of one request more."""
    server.answer = once(first, first_of("in/door"))

    composition = composed(server, ledger)

    assert composition.record.kept == {"in/door": 12, "out door": 12}
    assert composition.record.failed_requests == {}
    assert len(server.bodies) == 13


def test_a_prompt_that_is_refused_costs_its_own_texts_only(
    server: ChatServer, ledger: Ledger
) -> None:
    """The conversation ends and another one fills the quota; the failure is counted."""
    bad = first_of("in/door")
    server.answer = lambda body: (
        refusal(400, "flagged", "content_filter") if bad(body) else answer_two(body)
    )

    composition = composed(server, ledger)

    assert composition.record.kept == {"in/door": 12, "out door": 12}
    assert composition.record.failed_requests == {"content filter": 1}
    assert ledger.failures() == {"content filter": 1}
    assert sum(bad(body) for body in server.bodies) == 1


def test_a_redirect_is_not_followed(server: ChatServer, ledger: Ledger) -> None:
    """Prompt and key were meant for this server alone."""
    bad = first_of("in/door")
    with running_chat_server() as other:
        server.answer = lambda body: (
            refusal(307, location=f"{other.url}/chat/completions")
            if bad(body)
            else answer_two(body)
        )
        composition = composed(server, ledger)

        assert other.bodies == []
    assert composition.record.failed_requests == {"redirect": 1}


def test_a_wrong_key_ends_the_build_and_what_is_in_flight_is_kept(
    server: ChatServer, ledger: Ledger
) -> None:
    """Nothing new is asked after the refusal; the answer that was on its way is in the ledger."""
    wrong, slow = first_of("in/door"), first_of("out door")

    def answer(body: dict[str, Any]) -> Answer:
        if wrong(body):
            return Answer(None, 401, refusal(401, "bad key").body, delay_s=0.1)
        return Answer(written(body, 2), delay_s=0.5)

    server.answer = answer
    with pytest.raises(UserError, match="bad key: set another key"):
        composed(server, ledger, concurrency=2)

    assert len(server.bodies) == 2
    assert [entry.request.custom_id for entry in ledger.entries()] == [
        "plants/zero_shot/out door/c0/t1"
    ]
    assert any(slow(body) for body in server.bodies)


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path, ledger: Ledger) -> None:
    """After some attempts the build says what it cannot reach."""
    llm = OpenAIChat("m", Connection(base_url="http://127.0.0.1:9/v1"), Limits(2))
    from builders.generation import retries

    before = retries._FIRST_S
    retries._FIRST_S = 0.01
    try:
        with pytest.raises(UserError, match=r"m at 127\.0\.0\.1 gives no answer: no connection"):
            compose(TASK, Order("zero_shot", 2, 2), llm, live=Live(ledger, Budget.of(llm)))
    finally:
        retries._FIRST_S = before


def test_an_account_without_credit_leaves_the_corpus_so_far(
    server: ChatServer, ledger: Ledger
) -> None:
    """What was answered before becomes a corpus, and the record says why it is short."""
    server.answer = lambda body: (
        answer_two(body)
        if len(server.bodies) <= 3
        else refusal(429, "check your plan", "insufficient_quota")
    )

    composition = composed(server, ledger, concurrency=1)

    assert sum(composition.record.kept.values()) == 6
    assert composition.halt is not None
    assert "no credit left (check your plan)" in composition.halt.why


def test_the_next_build_asks_only_for_what_is_not_answered(
    server: ChatServer, ledger: Ledger
) -> None:
    """A build that ended early is finished by the same command at the price of the rest."""
    server.answer = lambda body: (
        answer_two(body) if len(server.bodies) <= 5 else refusal(402, "pay")
    )
    composed(server, ledger, concurrency=1)
    asked = len(server.bodies)
    server.answer = answer_two

    whole = composed(server, ledger, concurrency=1)

    assert whole.record.kept == {"in/door": 12, "out door": 12}
    assert len(server.bodies) - asked == 12 - 5


# ---- Budgets --------------------------------------------------------------------------------

PRICE = Price(1000.0, 2000.0, "of a test")


@pytest.mark.parametrize("option", ["usd", "tokens", "requests"])
def test_a_cap_is_never_passed(option: str, server: ChatServer, ledger: Ledger) -> None:
    """Eight in flight, and what all answers used stays within the cap; the corpus is partial."""
    server.answer = answer_two
    caps = {"usd": Caps(usd=6.0), "tokens": Caps(tokens=4000), "requests": Caps(requests=7)}[option]
    cap = getattr(caps, option)

    composition = composed(server, ledger, caps=caps, price=PRICE)

    rows = ledger.statistics()
    prompts, answers = rows[0].prompt_tokens, rows[0].completion_tokens
    used = {
        "usd": PRICE.usd(prompts, answers),
        "tokens": prompts + answers,
        "requests": rows[0].completions,
    }
    assert 0.4 * cap < used[option] <= cap
    assert composition.halt is not None
    assert composition.halt.why == f"--max-{option} {cap:g} is met"
    assert 0 < sum(composition.record.kept.values()) < 24
    assert len(server.bodies) == rows[0].completions


def test_a_cap_counts_what_an_earlier_run_of_the_build_used(
    server: ChatServer, ledger: Ledger
) -> None:
    """The same command with the same cap asks for nothing more."""
    server.answer = answer_two
    composed(server, ledger, caps=Caps(requests=7))
    asked = len(server.bodies)

    again = composed(server, ledger, caps=Caps(requests=7))

    assert len(server.bodies) == asked == 7
    assert again.halt is not None


def test_a_refused_request_costs_nothing(server: ChatServer, ledger: Ledger) -> None:
    """A 429 gives its reservation back: 12 requests fit a cap of 12."""
    server.answer = once(refusal(429, retry_after="0"), first_of("in/door"))

    composition = composed(server, ledger, caps=Caps(requests=12))

    assert composition.halt is None
    assert len(server.bodies) == 13


@pytest.mark.parametrize(
    "body",
    [
        b"torn",
        b'{"choices": []}',
        b'{"error": "overloaded"}',
        b'{"error": {"message": "broke off", "code": 500}}',
        b'{"error": {"message": "not this prompt", "code": 400}}',
    ],
)
def test_a_lost_answer_keeps_its_reservation(
    body: bytes, server: ChatServer, ledger: Ledger
) -> None:
    """An answer that cannot be read, or is none, may have been billed: it counts."""
    server.answer = once(Answer(None, 200, body), first_of("in/door"))

    composition = composed(server, ledger, caps=Caps(requests=12))

    assert composition.halt is not None
    assert len(server.bodies) == 12


def test_a_lost_answer_counts_in_later_runs_too(server: ChatServer, ledger: Ledger) -> None:
    """Its request was answered when it was sent again: that takes back one attempt of the two."""
    server.answer = once(Answer(None, 200, b"torn"), first_of("in/door"))

    for _ in range(3):
        composed(server, ledger, caps=Caps(requests=12))

    assert len(server.bodies) == 12
    assert len(ledger) == 11
    assert ledger.unanswered() == 0


def test_all_that_is_known_is_charged_before_anything_is_sent(
    server: ChatServer, ledger: Ledger
) -> None:
    """The conversations that come first are new, and 9 later ones have used 9 requests of 10."""
    llm = llm_at(server, concurrency=1)
    asking = Asking(TASK, ZeroShot(), Plan(2, sampling={"max_tokens": 300}), llm)
    new, known = ([Stretch(label, i, 1, 1) for i in range(9)] for label in TASK.labels)
    Generation(asking, ledger, Budget()).fill(known)
    budget = Budget(Caps(requests=10))

    with pytest.raises(BudgetMet, match="--max-requests 10 is met"):
        Generation(asking, ledger, budget).fill([*new, *known])

    assert len(server.bodies) == 10
    assert budget.used["requests"] == 10


def test_money_without_a_price_is_refused(server: ChatServer) -> None:
    """A cap that cannot be kept is no cap."""
    with pytest.raises(UserError, match="--max-usd: the price of this LLM is not known"):
        Budget.of(llm_at(server), Caps(usd=1.0))


# ---- Few-shot -------------------------------------------------------------------------------


def test_examples_are_shown_and_their_copies_rejected(server: ChatServer, ledger: Ledger) -> None:
    """Every text that repeats a shown example is rejected, in later rounds too."""
    texts = tuple(f"Note {written({'n': i}, 1, 6)[0]}." for i in range(20))
    train = LabelledTexts(texts, tuple(i % 2 for i in range(20)), TASK.label_names, texts)
    server.answer = lambda body: Answer(
        [*written(body, 1), body["messages"][-1]["content"].split("\n- ")[1].split("\n")[0]]
    )
    llm = llm_at(server)

    composition = compose(
        TASK, Order("few_shot", 6, 2), llm, train=train, live=Live(ledger, Budget.of(llm))
    )

    assert composition.record.kept == {"in/door": 6, "out door": 6}
    assert composition.record.rejected["in/door"] == {"seed_copy": 6}
    assert composition.record.statuses["seed_copy"] == "checked"


def test_a_server_without_schemas_is_asked_in_words(server: ChatServer, ledger: Ledger) -> None:
    """It refuses once; the form is then asked for in the system message, in later runs at once."""

    def answer(body: dict[str, Any]) -> Answer:
        if "response_format" in body:
            return refusal(400, "Unknown field response_format")
        return answer_two(body)

    server.answer = answer
    composition = composed(server, ledger, concurrency=1, memory=ledger)
    assert composition.record.kept == {"in/door": 12, "out door": 12}
    assert len(server.bodies) == 13
    assert 'JSON object of the form {"texts"' in server.bodies[-1]["messages"][0]["content"]

    composed(server, ledger, memory=ledger)

    assert len(server.bodies) == 13


def test_an_llm_that_is_not_held_to_a_schema_is_asked_in_words(
    server: ChatServer, ledger: Ledger
) -> None:
    """`--no-schema` sends none."""
    server.answer = answer_two

    composed(server, ledger, sampling=Sampling({"temperature": 0.5}, 99, schema=False))

    assert all("response_format" not in body for body in server.bodies)
    assert {(body["temperature"], body["max_tokens"]) for body in server.bodies} == {(0.5, 99)}


def test_a_build_that_is_short_of_budget_sleeps(server: ChatServer, ledger: Ledger) -> None:
    """While what is in flight holds all of the budget, nothing is tried again and again."""
    server.answer = lambda body: Answer(written(body, 2), delay_s=0.3)
    reserved = 0

    class Counting(Budget):
        def reserve(self, use: Use) -> bool:
            nonlocal reserved
            reserved += 1
            return super().reserve(use)

    llm = llm_at(server)
    # A request may use 320 tokens of answers and some 170 of prompts: two fit, and use far less.
    compose(TASK, Order("zero_shot", 8, 2), llm, live=Live(ledger, Counting(Caps(tokens=1500))))

    assert len(server.bodies) > 2
    assert reserved < 40
