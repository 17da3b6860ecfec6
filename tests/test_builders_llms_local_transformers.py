"""A model in this process: batches, draws, limits, and a corpus from a model made here."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from plants import PLANTS
from tiny_chat_model import ENDS, NO_SYSTEM, WORDS, save_tiny_chat_model

from builders.composition import Composition, Live, Order, compose
from builders.errors import UserError
from builders.generation import Budget
from builders.ledger import Ledger
from builders.llms.base import RequestFailed, Sampling
from builders.llms.dialect import in_words
from builders.llms.local_transformers import LocalTransformers
from builders.requests import Completion, Message, Request, RequestId
from builders.strategies.base import TEXTS_SCHEMA

TASK = replace(PLANTS, length_words=(1, 60))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny chat model."""
    return save_tiny_chat_model(tmp_path_factory.mktemp("models") / "tiny-chat")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a new ledger."""
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def asked(conversation: int, words: int = 5, **sampling: float) -> Request:
    """Return a request of so many words beside the system message's two."""
    said = " ".join(WORDS[(7 * conversation + i) % len(WORDS)] for i in range(words))
    messages: tuple[Message, ...] = (
        {"role": "system", "content": f"{WORDS[3]} {WORDS[5]}"},
        {"role": "user", "content": said},
    )
    name = RequestId("plants", "zero_shot", "in/door", conversation, 1)
    return Request(name, messages, 1, sampling={"max_tokens": 24, **sampling})


def answers(
    llm: LocalTransformers, requests: Sequence[Request]
) -> list[tuple[int, Completion | RequestFailed]]:
    """Return conversation and answer, in the order in which they came."""

    async def ask() -> list[tuple[int, Completion | RequestFailed]]:
        async with llm:
            return [(r.id.conversation, a) async for r, a in llm.complete_all(requests)]

    return asyncio.run(ask())


def contents(llm: LocalTransformers, requests: Sequence[Request]) -> dict[int, str]:
    """Return what was written, by conversation."""
    return {n: a.content for n, a in answers(llm, requests) if isinstance(a, Completion)}


def on_cpu(folder: Path | str, **settings: Any) -> LocalTransformers:
    """Return a client of the model, on the processor."""
    return LocalTransformers(str(folder), device="cpu", **settings)


def watched(
    monkeypatch: pytest.MonkeyPatch,
    before: Callable[[tuple[int, int]], object] = lambda shape: None,
) -> list[tuple[int, int]]:
    """Return the list to which each batch's rows and padded prompt length are added."""
    shapes: list[tuple[int, int]] = []
    generate = transformers.LlamaForCausalLM.generate

    def noting(self: Any, **inputs: Any) -> Any:
        rows, tokens = inputs["input_ids"].shape
        before((rows, tokens))
        shapes.append((rows, tokens))
        return generate(self, **inputs)

    monkeypatch.setattr(transformers.LlamaForCausalLM, "generate", noting)
    return shapes


# ---- What is written --------------------------------------------------------------------------


def test_greedy_answers_are_those_of_generate_for_each_prompt_alone(folder: Path) -> None:
    """Padding and batch mates change nothing: each is what `generate` gives for it alone."""
    requests = [asked(n, words=3 + 4 * n, temperature=0) for n in range(5)]
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder)
    expected = {}
    for request in requests:
        prompt = tokenizer.apply_chat_template(
            list(request.messages), add_generation_prompt=True, return_tensors="pt"
        )
        out = model.generate(**prompt, do_sample=False, max_new_tokens=24, pad_token_id=0)
        new = out[0, prompt["input_ids"].shape[1] :]
        expected[request.id.conversation] = tokenizer.decode(new, skip_special_tokens=True)

    assert contents(on_cpu(folder), requests) == expected
    assert len(set(expected.values())) > 1


def test_the_same_request_gets_the_same_answer(folder: Path) -> None:
    """A second process, or client, writes word for word what the first one did."""
    requests = [asked(n) for n in range(6)]

    assert contents(on_cpu(folder), requests) == contents(on_cpu(folder), requests)


def test_an_answer_does_not_depend_on_batch_mates(folder: Path) -> None:
    """Alone, in pairs, all together, or in the reverse order: each draws for itself."""
    requests = [asked(n, words=3 + n) for n in range(6)]
    together = contents(on_cpu(folder), requests)

    alone = {n: text for r in requests for n, text in contents(on_cpu(folder), [r]).items()}
    in_pairs = contents(on_cpu(folder, batch_tokens=80), requests)
    backwards = contents(on_cpu(folder), requests[::-1])

    assert alone == together
    assert in_pairs == together
    assert backwards == together


def test_replicates_of_the_same_words_get_other_answers(folder: Path) -> None:
    """First turns are the same word for word; the conversation's index tells them apart."""
    first = asked(0)
    same = [Request(asked(n).id, first.messages, 1, sampling=first.sampling) for n in range(6)]

    assert len(set(contents(on_cpu(folder), same).values())) == 6


def test_another_draw_gets_another_answer(folder: Path) -> None:
    """The seed of a build asks for other texts with the same words."""
    one = asked(0)
    other = Request(one.id, one.messages, 1, sampling=one.sampling, draw=1)

    assert contents(on_cpu(folder), [one]) != contents(on_cpu(folder), [other])


def test_draws_have_the_probabilities_of_the_model(folder: Path) -> None:
    """The first tokens of 1,500 replicates are distributed as the softmax at temperature 0.7 says.

    Pearson's statistic over the tokens expected at least five times has a mean of its degrees of
    freedom k and a standard deviation of sqrt(2 k); five of these above is one in a million.
    """
    first = asked(0)
    sampling = {"max_tokens": 1, "temperature": 0.7}
    same = [Request(asked(n).id, first.messages, 1, sampling=sampling) for n in range(1500)]
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        list(first.messages), add_generation_prompt=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = 1500 * torch.softmax(model(**prompt).logits[0, -1] / 0.7, -1)

    written = list(contents(on_cpu(folder), same).values())

    counts = {word: written.count(word) for word in WORDS}
    often = [(counts[w], float(expected[tokenizer.convert_tokens_to_ids(w)])) for w in WORDS]
    often = [(n, e) for n, e in often if e >= 5]
    statistic = sum((n - e) ** 2 / e for n, e in often)
    assert len(often) > 30
    assert statistic < len(often) + 5 * (2 * len(often)) ** 0.5


def test_nucleus_sampling_leaves_out_the_unlikely(folder: Path) -> None:
    """With a nucleus next to nothing only the likeliest token is left: the greedy answer."""
    requests = [asked(n) for n in range(4)]
    nucleus = [asked(n, top_p=1e-6) for n in range(4)]
    greedy = [asked(n, temperature=0) for n in range(4)]

    assert contents(on_cpu(folder), nucleus) == contents(on_cpu(folder), greedy)
    assert contents(on_cpu(folder), requests) != contents(on_cpu(folder), greedy)


def test_the_models_own_temperature_stands_where_none_is_given(tmp_path: Path) -> None:
    """`generation_config.json` says how a model is meant to be sampled."""
    own = save_tiny_chat_model(tmp_path / "own")
    plain = save_tiny_chat_model(tmp_path / "plain")
    transformers.GenerationConfig(
        eos_token_id=list(range(len(ENDS))), do_sample=True, temperature=0.3, top_p=0.9
    ).save_pretrained(own)

    given = contents(on_cpu(plain), [asked(0, temperature=0.3, top_p=0.9)])
    assert contents(on_cpu(own), [asked(0)]) == given
    assert contents(on_cpu(plain), [asked(0)]) != given


def test_tokens_and_the_reason_of_the_end_are_told(folder: Path) -> None:
    """A word is a token: 3 words, 2 of the system, 5 of the template; the end is one too."""
    found = [
        a for _, a in answers(on_cpu(folder), [asked(n, words=3, max_tokens=20) for n in range(12)])
    ]

    completions = [a for a in found if isinstance(a, Completion)]
    assert {a.prompt_tokens for a in completions} == {3 + 2 + 5}
    assert {a.finish_reason for a in completions} == {"stop", "length"}
    for each in completions:
        ended = each.finish_reason == "stop"
        assert each.completion_tokens == (len(each.content.split()) + 1 if ended else 20)


def test_a_model_without_a_system_role_is_told_in_the_users_message(tmp_path: Path) -> None:
    """Some templates refuse a system message: its words come before the user's."""
    without = save_tiny_chat_model(tmp_path / "without", NO_SYSTEM)
    usual = save_tiny_chat_model(tmp_path / "usual")
    system, user = asked(0, temperature=0).messages
    joined: Message = {"role": "user", "content": f"{system['content']}\n\n{user['content']}"}
    same = Request(asked(0).id, (joined,), 1, sampling=asked(0, temperature=0).sampling)

    assert contents(on_cpu(without), [asked(0, temperature=0)]) == contents(on_cpu(usual), [same])


# ---- Batches ----------------------------------------------------------------------------------


def test_batches_are_of_like_length_and_within_the_bound(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prompts of 11 to 18 tokens with answers of 24: of 126 tokens three fit, of 18 + 24 each."""
    shapes = watched(monkeypatch)

    order = [
        n for n, _ in answers(on_cpu(folder, batch_tokens=126), [asked(n, n + 4) for n in range(8)])
    ]

    assert shapes == [(3, 18), (3, 15), (2, 12)]
    assert order == [7, 6, 5, 4, 3, 2, 1, 0]


def test_a_batch_too_large_for_the_memory_is_halved(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight rows do not fit, nor do four: it goes on with two, and stays there."""
    tried: list[int] = []

    def fill(shape: tuple[int, int]) -> None:
        tried.append(shape[0])
        if shape[0] > 2:
            raise torch.OutOfMemoryError("the device is full")

    shapes = watched(monkeypatch, fill)
    requests = [asked(n) for n in range(8)]

    found = contents(on_cpu(folder), requests)

    assert tried == [8, 4, 2, 2, 2, 2]
    assert [rows for rows, _ in shapes] == [2, 2, 2, 2]
    assert sorted(found) == list(range(8))


def test_a_request_too_large_for_the_memory_fails_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One long prompt does not fit even by itself; the others are answered."""

    def fill(shape: tuple[int, int]) -> None:
        if shape[1] > 50:
            raise torch.OutOfMemoryError("the device is full")

    watched(monkeypatch, fill)

    found = dict(answers(on_cpu(folder), [asked(0), asked(1, words=60), asked(2)]))

    failed = found.pop(1)
    assert isinstance(failed, RequestFailed)
    assert failed.reason == "out of memory"
    assert all(isinstance(each, Completion) for each in found.values())
    assert len(found) == 2


def test_a_prompt_past_the_context_fails_alone(folder: Path) -> None:
    """The context is 512: 481 words, 7 more and 24 of the answer fit, one word more does not."""
    found = dict(answers(on_cpu(folder), [asked(0, 482), asked(1, 481), asked(2)]))

    failed = found.pop(0)
    assert isinstance(failed, RequestFailed)
    assert failed.reason == "context too long"
    assert [type(each) for each in found.values()] == [Completion, Completion]


def test_answers_longer_than_the_context_are_refused_with_the_remedy(folder: Path) -> None:
    """No prompt at all would fit: that is said once, not of each request."""
    with pytest.raises(UserError, match=r"512 tokens.*600.*--texts-per-request"):
        answers(on_cpu(folder), [asked(0, max_tokens=600)])


def test_cancelling_ends_a_long_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second signal cancels: the thread stops at the next token, not at the last."""
    begun, cancelled = threading.Event(), threading.Event()
    steps: list[int] = []
    forward = transformers.LlamaForCausalLM.forward

    def noting(self: Any, *args: Any, **inputs: Any) -> Any:
        steps.append(1)
        begun.set()
        cancelled.wait(60)
        return forward(self, *args, **inputs)

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", noting)
    llm = on_cpu(folder)

    async def cancel() -> None:
        async def first() -> object:
            return await anext(llm.complete_all([asked(0, max_tokens=480)]))

        asking = asyncio.create_task(first())
        await asyncio.to_thread(begun.wait)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        cancelled.set()  # the thread is at its first token still

    asyncio.run(cancel())  # waits for the thread

    assert len(steps) == 1


# ---- Which model ------------------------------------------------------------------------------


def test_a_model_is_named_by_its_files(tmp_path: Path) -> None:
    """A copy elsewhere has the same name; one with other weights has not; no path is told."""
    one, copy, other = (
        save_tiny_chat_model(tmp_path / place / "tiny", seed=seed)
        for place, seed in (("a", 0), ("b", 0), ("c", 1))
    )

    assert on_cpu(one).model == on_cpu(copy).model
    assert on_cpu(one).model != on_cpu(other).model
    assert on_cpu(one).model.startswith("tiny@")
    assert on_cpu(one).description == "tiny (transformers)"
    assert on_cpu(one).endpoint == "transformers"


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    """A base model does not know what a conversation is."""
    base = save_tiny_chat_model(tmp_path / "base", template=None)

    with pytest.raises(UserError, match=r"transformers:base: .*no chat template; name a model"):
        answers(on_cpu(base), [asked(0)])


def test_a_repository_out_of_reach_is_one_line() -> None:
    """Offline and not in the cache."""
    with pytest.raises(
        UserError, match=r"--llm transformers:org/none@v1: cannot be loaded"
    ) as error:
        LocalTransformers("org/none@v1")

    assert "\n" not in str(error.value)


def test_pickled_weights_are_not_loaded(tmp_path: Path) -> None:
    """A pickle can run code: only safetensors are read."""
    pickled = save_tiny_chat_model(tmp_path / "pickled")
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(pickled)
    torch.save(model.state_dict(), pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()

    with pytest.raises(UserError, match="cannot be loaded"):
        answers(on_cpu(pickled), [asked(0)])


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"min_p": 0.1}, r"min_p: not known .* temperature and top_p"),
        ({"temperature": -1}, "temperature -1: give a number from 0"),
        ({"top_p": 0}, "top_p 0: give a number from"),
        ({"temperature": "hot"}, "temperature hot"),
        ({"temperature": float("nan")}, "temperature nan"),
    ],
)
def test_sampling_parameters_are_checked(
    folder: Path, parameters: dict[str, Any], said: str
) -> None:
    """One that would be ignored, or means nothing, is a mistake."""
    with pytest.raises(UserError, match=said):
        on_cpu(folder, sampling=Sampling(parameters))


# ---- The whole way ----------------------------------------------------------------------------


def composed(
    folder: Path, ledger: Ledger, texts_per_request: int = 1, batch_tokens: int | None = None
) -> Composition:
    """Compose a corpus of four texts a label."""
    llm = on_cpu(folder, sampling=Sampling(max_tokens=40), batch_tokens=batch_tokens)
    live = Live(ledger, Budget.of(llm))
    return compose(TASK, Order("zero_shot", 4, texts_per_request), llm, live=live)


def test_a_corpus_is_written_by_a_local_model(folder: Path, ledger: Ledger) -> None:
    """One text a request needs no JSON, so even a random model fills a quota."""
    composition = composed(folder, ledger)

    assert composition.halt is None
    assert composition.record.kept == {"in/door": 4, "out door": 4}
    assert set(" ".join(composition.texts.texts).split()) <= set(WORDS)
    assert composition.record.llm == "tiny-chat (transformers)"


def test_json_is_asked_for_in_words(folder: Path, ledger: Ledger) -> None:
    """Nothing holds a local model to a schema, so its form is in the system message."""
    composed(folder, ledger)

    requests = [entry.request for entry in ledger.entries()]
    assert all(
        request.messages[0]["content"].endswith(in_words(TEXTS_SCHEMA)) for request in requests
    )
    assert {request.schema for request in requests} == {None}


def test_a_model_that_writes_no_json_ends_with_the_reason(folder: Path, ledger: Ledger) -> None:
    """Two texts a request need a list; random words are none, so both labels are given up."""
    composition = composed(folder, ledger, texts_per_request=2)

    assert composition.halt is not None
    assert "no new text of 'in/door', 'out door' passed in 10 rounds" in composition.halt.why
    assert composition.record.failed_requests.keys() <= {"unparsable", "empty"}


def test_a_build_that_was_stopped_goes_on_from_the_ledger(
    folder: Path, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in its second batch it keeps what was written; the next run writes only the rest."""
    with Ledger(tmp_path / "whole.sqlite") as whole:
        uninterrupted = composed(folder, whole, batch_tokens=150)
        every = len(whole)
    with monkeypatch.context() as patch:
        batches: list[int] = []

        def stop(shape: tuple[int, int]) -> None:
            batches.append(shape[0])
            if len(batches) == 2:
                os.kill(os.getpid(), signal.SIGTERM)

        watched(patch, stop)
        halt = composed(folder, ledger, batch_tokens=150).halt
    before = len(ledger)
    shapes = watched(monkeypatch)

    resumed = composed(folder, ledger, batch_tokens=150)

    assert halt is not None
    assert halt.signal == signal.SIGTERM
    assert 0 < before < every
    assert sum(rows for rows, _ in shapes) == every - before
    assert resumed.texts == uninterrupted.texts


_BUILD = """
import sys
from pathlib import Path
import test_builders_llms_local_transformers as here
with here.Ledger(Path(sys.argv[2])) as ledger:
    here.composed(Path(sys.argv[1]), ledger, batch_tokens=1)
"""


@pytest.mark.slow
def test_a_build_that_was_killed_goes_on_from_the_ledger(
    folder: Path, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After SIGKILL every answer that was recorded is used, and the corpus is the same."""
    with Ledger(tmp_path / "whole.sqlite") as whole:
        uninterrupted = composed(folder, whole, batch_tokens=1)
        every = len(whole)
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    child = subprocess.Popen(
        [sys.executable, "-c", _BUILD, str(folder), str(ledger.path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while len(ledger) < 2 and child.poll() is None:
        time.sleep(0.005)
    child.kill()
    child.wait(100)
    before = len(ledger)
    shapes = watched(monkeypatch)

    resumed = composed(folder, ledger, batch_tokens=1)

    assert 2 <= before <= every
    assert len(shapes) == every - before
    assert resumed.texts == uninterrupted.texts


def test_a_whole_ledger_needs_no_model(folder: Path, ledger: Ledger, tmp_path: Path) -> None:
    """What was written is read from the ledger: the weights are not even loaded."""
    first = composed(folder, ledger)
    llm = on_cpu(folder, sampling=Sampling(max_tokens=40))
    (moved := tmp_path / "elsewhere").mkdir()
    hidden = moved / "model.safetensors"
    (folder / "model.safetensors").rename(hidden)
    try:
        live = Live(ledger, Budget.of(llm))
        again = compose(TASK, Order("zero_shot", 4, 1), llm, live=live)
    finally:
        hidden.rename(folder / "model.safetensors")

    assert again.texts == first.texts
