"""The client against a server that nobody here wrote: `transformers serve` with a tiny model."""

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import transformers
from plants import PLANTS
from tiny_chat_model import ENDS, WORDS, save_tiny_chat_model

from builders.composition import Live, Order, compose
from builders.generation import Budget
from builders.ledger import Ledger
from builders.llms.base import Limits, RequestFailed, Sampling, TryAgain
from builders.llms.openai_chat import OpenAIChat
from builders.llms.openai_server import Connection
from builders.requests import Completion, Message, Request, RequestId
from builders.strategies.base import TEXTS_SCHEMA

pytestmark = pytest.mark.slow
both = pytest.mark.parametrize("transport", ["aiohttp", "openai"])

TASK = replace(PLANTS, length_words=(1, 60))


@dataclass(frozen=True)
class Served:
    """A running server."""

    url: str
    model: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a tiny model that samples, in a process of its own."""
    folder = save_tiny_chat_model(tmp_path_factory.mktemp("served") / "tiny-chat")
    transformers.GenerationConfig(
        eos_token_id=list(range(len(ENDS))), do_sample=True, temperature=1.0, top_k=0
    ).save_pretrained(folder)
    command = [str(Path(sys.executable).with_name("transformers")), "serve"]
    options = ["--host", "127.0.0.1", "--port", "0", "--device", "cpu"]
    process = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )
    watchdog = threading.Timer(800, process.kill)
    watchdog.start()
    try:
        yield Served(_url(process), str(folder))
    finally:
        watchdog.cancel()
        process.terminate()
        try:
            process.wait(100)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(100)
        assert process.stdout is not None
        process.stdout.close()


def _url(process: "subprocess.Popen[str]") -> str:
    """Return the base URL once the server says that it runs; its output is read to its end."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return f"{found[1]}/v1"
    pytest.fail(f"the server did not start: {''.join(said)[-2000:]}")


def client(served: Served, transport: str = "aiohttp", concurrency: int = 2) -> OpenAIChat:
    """Return a client of the server, for answers of at most 40 tokens."""
    connection = Connection(base_url=served.url, transport=transport, timeout_s=100)
    sampling = Sampling({"temperature": 1.0}, max_tokens=40)
    llm = OpenAIChat(served.model, connection, Limits(concurrency), sampling)
    llm.turns = 2
    return llm


def asked(conversation: int = 0, **sampling: float) -> Request:
    """Return a request as a build makes it."""
    messages: tuple[Message, ...] = (
        {"role": "system", "content": WORDS[0]},
        {"role": "user", "content": " ".join(WORDS[:4])},
    )
    name = RequestId("plants", "zero_shot", "in/door", conversation, 1)
    return Request(name, messages, 1, TEXTS_SCHEMA, {"max_tokens": 12, **sampling})


def answer(llm: OpenAIChat, request: Request) -> Completion:
    """Send one request."""

    async def ask() -> Completion:
        async with llm:
            return await llm.complete(request)

    return asyncio.run(ask())


@both
def test_a_completion_is_read(served: Served, transport: str) -> None:
    """Text, usage, reason of the end and model are where the client looks for them."""
    completion = answer(client(served, transport), asked())

    assert set(completion.content.split()) <= set(WORDS)
    assert completion.prompt_tokens == 10  # five words and five marks of the template
    assert completion.completion_tokens is not None
    assert 1 <= completion.completion_tokens <= 12
    assert (completion.finish_reason == "length") == (completion.completion_tokens == 12)
    assert completion.model == "tiny-chat@main"  # without the folders of the machine


@both
def test_the_seed_decides_the_answer(served: Served, transport: str) -> None:
    """A conversation's index is sent as `seed`: the same one, the same words."""
    llm = client(served, transport)

    texts = [answer(llm, asked(n)).content for n in (0, 1, 2, 0, 1, 2)]

    assert texts[:3] == texts[3:]
    assert len(set(texts)) == 3


@both
def test_max_tokens_ends_an_answer(served: Served, transport: str) -> None:
    """One token at most: one word, or the end at once."""
    completion = answer(client(served, transport), asked(max_tokens=1))

    assert completion.completion_tokens == 1
    assert len(completion.content.split()) <= 1


def test_a_parameter_that_the_server_does_not_know_fails_the_request(served: Served) -> None:
    """It answers 422 with a `detail`; nothing of the request is dropped behind the user's back."""
    with pytest.raises(RequestFailed) as failed:
        answer(client(served), asked(min_p=0.1))

    assert failed.value.reason == "http 422"


def test_a_model_that_is_not_there_is_told(served: Served) -> None:
    """It answers 500 in plain text, which may pass: the engine tries again, then stops."""
    llm = OpenAIChat("org/none", Connection(base_url=served.url, timeout_s=100))

    with pytest.raises(TryAgain) as again:
        answer(llm, asked())

    assert again.value.reason == "http 500"


@both
def test_a_corpus_is_composed_and_the_ledger_goes_on(
    served: Served, transport: str, tmp_path: Path
) -> None:
    """The quota is met in conversations of two turns; a second build asks nothing more."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        llm = client(served, transport)
        live = Live(ledger, Budget.of(llm))
        first = compose(TASK, Order("zero_shot", 6, 1), llm, live=live)
        asked_for = len(ledger)
        second = compose(TASK, Order("zero_shot", 6, 1), llm, live=live)

        assert first.halt is None
        assert first.record.kept == {"in/door": 6, "out door": 6}
        assert first.record.failed_requests.keys() <= {"empty"}
        assert second.texts == first.texts
        assert len(ledger) == asked_for
        (statistics,) = ledger.statistics()
        assert statistics.completion_tokens > 12
        assert ledger.failures() == {}
