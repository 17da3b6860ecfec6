"""What every test starts from: no network, empty caches, the same examples in every run."""

import atexit
import csv
import ipaddress
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Libraries read these when they are imported, so they are set before any test module is.
_CACHES = Path(tempfile.mkdtemp(prefix="understudy-tests-"))
atexit.register(shutil.rmtree, _CACHES, ignore_errors=True)
os.environ.update(
    HF_HOME=str(_CACHES / "huggingface"),
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_OFFLINE="1",
    OMP_NUM_THREADS="2",
    TOKENIZERS_PARALLELISM="false",
    UNDERSTUDY_CACHE=str(_CACHES / "understudy"),
    XDG_CACHE_HOME=str(_CACHES / "xdg"),
)
# These would point past the empty caches.
for _name in ("HF_DATASETS_CACHE", "HF_HUB_CACHE", "HF_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
    os.environ.pop(_name, None)
if os.environ.get("UNDERSTUDY_DATA"):
    os.environ["UNDERSTUDY_DATA"] = str(Path(os.environ["UNDERSTUDY_DATA"]).resolve())

# A shell lets what runs in its background ignore Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "understudy", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("understudy")

_refused: list[str] = []


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", socket.gethostname()):
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse every connection and look-up that leaves this machine, whatever asks for it."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        _refused.append(f"{event} {host!r}")
        raise RuntimeError(f"tests are offline: {event} {host!r} was refused")


sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True)
def refused_connections() -> Iterator[list[str]]:
    """Fail a test that reached for the network, even where the code under test hid the refusal."""
    _refused.clear()
    yield _refused
    if _refused:
        attempts = ", ".join(_refused)
        _refused.clear()
        pytest.fail(f"reached for the network: {attempts}")


@pytest.fixture
def data_dir() -> Path:
    """Return the folder of other people's data, `UNDERSTUDY_DATA`; skip where it is not set."""
    folder = os.environ.get("UNDERSTUDY_DATA")
    if not folder:
        pytest.skip("needs UNDERSTUDY_DATA, the folder of real data")
    if not Path(folder).is_dir():
        pytest.fail(f"UNDERSTUDY_DATA={folder} is not a folder")
    return Path(folder)


# A small world of two tasks: task files, real texts and a recording, all made up here.

_TASK = """\
name: {name}
title: Own {name}
description: What is it about?
labels:
  tea/coffee: about hot drinks
  long walk: about being outdoors
prompt:
  context: You write short messages.
  generate: >-
    Write {{count}} texts of the kind "{{label}}" ({{meaning}}), {{min_words}} to {{max_words}}
    words.
length_words: [5, 40]
"""

_NOUNS = {
    "tea/coffee": [
        "kettle",
        "mug",
        "espresso",
        "teapot",
        "saucer",
        "barista",
        "grinder",
        "foam",
        "filter",
        "spoon",
    ],
    "long walk": [
        "trail",
        "boots",
        "ridge",
        "compass",
        "meadow",
        "rucksack",
        "signpost",
        "creek",
        "gate",
        "summit",
    ],
}
_OTHERS = [
    "letter",
    "window",
    "neighbour",
    "bus",
    "clock",
    "garden",
    "radio",
    "coat",
    "ticket",
    "ladder",
    "piano",
    "bridge",
]
_VERBS = [
    "found",
    "lost",
    "praised",
    "carried",
    "forgot",
    "painted",
    "borrowed",
    "sold",
    "missed",
    "cleaned",
    "drew",
    "hid",
]


def _made_up(label: str, seed: str, n: int) -> list[str]:
    """Return `n` texts on a label: of four nouns one or two are of its own subject."""
    draw = random.Random(f"{label}/{seed}")
    texts = []
    for i in range(n):
        nouns = draw.sample(_NOUNS[label], 1 + i % 2) + draw.sample(_OTHERS, 3)
        draw.shuffle(nouns)
        one, other = draw.sample(_VERBS, 2)
        texts.append(
            f"Someone {one} the {nouns[0]} and {nouns[1]}, then {other} a {nouns[2]}, "
            f"{nouns[3]} number {draw.randrange(10**6)}."
        )
    return texts


@pytest.fixture(scope="session")
def little_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `own.yaml`, `other.yaml`, `real/` and `recording/`.

    Both tasks have two labels, one with a slash and one with a space, 20 real training texts and 12
    test texts of each, 16 recorded texts of each with zero_shot and 12 with few_shot. The recording
    of `other` has nothing with few_shot.
    """
    world = tmp_path_factory.mktemp("world")
    for part in ("real", "recording/zero_shot", "recording/few_shot"):
        (world / part).mkdir(parents=True)
    for name in ("own", "other"):
        (world / f"{name}.yaml").write_text(_TASK.format(name=name))
        for split, n in (("train", 20), ("test", 12)):
            with (world / "real" / f"{name}.{split}.csv").open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["text", "label"])
                for label in _NOUNS:
                    rows.writerows((t, label) for t in _made_up(label, f"{name}/{split}", n))
        for strategy, n in (("zero_shot", 16), ("few_shot", 12)):
            if (name, strategy) == ("other", "few_shot"):
                continue
            lines = [
                _recorded(f"{name}/{strategy}/{label}/c0/t1", _made_up(label, strategy, n))
                for label in _NOUNS
            ]
            path = world / "recording" / strategy / f"{name}.responses.jsonl"
            path.write_text("".join(lines))
    return world


def _recorded(custom_id: str, texts: list[str]) -> str:
    """Return one line of a Batch output file."""
    message = {"role": "assistant", "content": json.dumps({"texts": texts})}
    body = {"model": "made-up-1", "choices": [{"message": message, "finish_reason": "stop"}]}
    answer = {"custom_id": custom_id, "response": {"status_code": 200, "body": body}}
    return json.dumps(answer) + "\n"
