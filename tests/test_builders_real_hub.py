"""Real texts from a Hub: one commit, or none; the clients are the real ones, and so is the HTTP."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hub_server import PATIENT, HubServer, running_hub

from builders.errors import NotAtHand
from builders.real import load_real
from builders.tasks import load_task

ROOT = Path(__file__).parents[1]

CLIENT = """
import json, sys
from datasets import disable_progress_bars
from builders.errors import NotAtHand, UserError
from builders.real import load_real
from builders.tasks import load_task
disable_progress_bars()
for line in sys.stdin:
    path, where = json.loads(line)
    try:
        real = load_real(load_task(path), where)
        parts = {"train": real.train, "validation": real.validation, "test": real.test}
        answer = {name: [part.texts, part.labels] for name, part in parts.items() if part}
        answer |= {"source": real.source, "dropped": real.dropped}
    except UserError as error:
        answer = {"refused": str(error), "not_at_hand": isinstance(error, NotAtHand)}
    except OSError as error:
        answer = {"errno": error.errno}
    print(json.dumps(answer), flush=True)
"""

TASK = """\
name: plants
title: Plants
description: Where does this plant grow?
labels: {in/door: inside a house, out door: in the open}
prompt: {context: You are a gardener., generate: "Write {count} notes on {label}."}
length_words: [1, 20]
"""


class Client:
    """A process in which the unmodified clients talk to the Hub; its cache is empty at first."""

    def __init__(self, endpoint: str, home: Path, **environment: str) -> None:
        unwanted = ("HF_HUB_OFFLINE", "HF_TOKEN", "HF_DATASETS_OFFLINE", "UNDERSTUDY_DATA")
        inherited = {k: v for k, v in os.environ.items() if k not in unwanted}
        own = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "PYTHONPATH": str(ROOT), **PATIENT}
        home.mkdir(exist_ok=True)
        self._home = home
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLIENT],
            cwd=home,
            env={**inherited, **own, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def load(self, where: str | None = "hub", **real: Any) -> dict[str, Any]:
        """Load the task with this `real:` block; return its splits, or what it is refused with."""
        block = {
            "text": "note",
            "label": "place",
            "labels": {0: "in/door", 1: "out door"},
            "splits": {"train": "train", "test": "test"},
            **real,
        }
        task = self._home / "plants.yaml"
        labels = ", ".join(f"{key!r}: {value}" for key, value in block.pop("labels").items())
        text = f"{TASK}real: {json.dumps(block)[:-1]}, labels: {{{labels}}}}}\n"
        task.write_text(text, encoding="utf-8")
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(task), where]) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def not_at_hand(self, **real: Any) -> str:
        """Return the one line that says why the data cannot be had from here."""
        answer = self.load(**real)
        assert answer.get("not_at_hand"), answer
        assert "\n" not in answer["refused"]
        return str(answer["refused"])

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@dataclass
class Hub:
    """A Hub with data sets made by hand.

    Attributes:
        server: The Hub.
    """

    server: HubServer

    def commit(
        self, repository: str, files: dict[str, Any], *refs: str, private: bool = False
    ) -> str:
        """Add a commit and point references at it; rows become Parquet. Return the commit."""
        contents = {}
        for name, content in files.items():
            if isinstance(content, str):
                contents[name] = content.encode()
            else:
                pyarrow.parquet.write_table(content, sink := io.BytesIO())
                contents[name] = sink.getvalue()
        return self.server.store.add("datasets", repository, contents, *refs, private=private)

    def refs(self, repository: str) -> dict[str, str]:
        """Return reference -> commit."""
        return self.server.store.refs("datasets", repository)

    def fail(self, *faults: tuple[str, int]) -> None:
        """Answer paths that a pattern finds with a status, until told otherwise."""
        self.server.reset()
        for pattern, status in faults:
            self.server.fault(pattern=pattern, status=status, times=1000)


def rows(*notes: str, places: tuple[Any, ...] = (0, 1), names: Any = None) -> pyarrow.Table:
    """Return notes with their places in turn; with names the places are a ClassLabel."""
    own = [places[i % len(places)] for i in range(len(notes))]
    table = pyarrow.table({"note": list(notes), "place": own})
    if names is None:
        return table
    label = {"names": names, "_type": "ClassLabel"}
    features = {"note": {"dtype": "string", "_type": "Value"}, "place": label}
    if isinstance(places[0], list):
        features["place"] = {"feature": label, "_type": "List"}
    stated = json.dumps({"info": {"features": features}})
    return table.replace_schema_metadata({b"huggingface": stated.encode()})


def two_splits(word: str) -> dict[str, Any]:
    """Return the files of a data set of two splits whose notes begin with a word."""
    return {
        "train-00000-of-00001.parquet": rows(f"{word} fern", f"{word} oak"),
        "test-00000-of-00001.parquet": rows(f"{word} cactus", f"{word} rose"),
    }


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Run a Hub with a data set of two commits, `main` and the tag `v1`."""
    with running_hub(tmp_path_factory.mktemp("hub")) as server:
        running = Hub(server)
        running.commit("acme/plants", two_splits("Old"), "refs/tags/v1", "refs/heads/main")
        running.commit("acme/plants", two_splits("New"), "refs/heads/main")
        yield running


@pytest.fixture(scope="module")
def shared_client(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Start one client for the module: starting one costs seconds."""
    running = Client(hub.server.endpoint, tmp_path_factory.mktemp("home"))
    yield running
    running.close()


@pytest.fixture
def client(hub: Hub, shared_client: Client) -> Iterator[Client]:
    """Return the client; faults that a test set are taken back after it."""
    yield shared_client
    hub.fail()


# ---- What is loaded -------------------------------------------------------------------------


def test_rows_arrive_and_the_source_names_the_commit(hub: Hub, client: Client) -> None:
    """`main` is resolved to its commit, and that commit is what was loaded."""
    real = client.load(path="acme/plants")

    sha = hub.refs("acme/plants")["refs/heads/main"]
    assert real["source"] == f"acme/plants@{sha}"
    assert real["train"] == [["New fern", "New oak"], [0, 1]]
    assert real["test"] == [["New cactus", "New rose"], [0, 1]]


@pytest.mark.parametrize("pin", ["tag", "commit"])
def test_a_pinned_revision_is_honoured(pin: str, hub: Hub, client: Client) -> None:
    """A tag, or a commit, gives its own rows, though `main` has moved on."""
    sha = hub.refs("acme/plants")["refs/tags/v1"]

    real = client.load(path="acme/plants", revision="v1" if pin == "tag" else sha)

    assert real["source"] == f"acme/plants@{sha}"
    assert real["train"][0] == ["Old fern", "Old oak"]


def test_a_branch_that_moves_is_followed(hub: Hub, client: Client) -> None:
    """The second load is of the new commit, not of what was cached under the branch's name."""
    seen = []
    for word in ("First", "Second"):
        hub.commit("acme/moving", two_splits(word), "refs/heads/main", "refs/heads/draft")
        seen.append(client.load(path="acme/moving", revision="draft")["train"][0][0])

    assert seen == ["First fern", "Second fern"]


def test_a_converted_branch_with_data_files_is_read(hub: Hub, client: Client) -> None:
    """As the relation task does it: `refs/convert/parquet`, files by pattern, tokens to join."""
    tokens = [["A", "fern"], ["An", "oak"], ["A", "rose"], ["A", "palm"], ["Moss"]]
    table = pyarrow.table({"note": tokens, "place": ["P17", "P118", "P118", "P17", "P9"]})
    sha = hub.commit(
        "acme/converted",
        {"default/train_wiki/0000.parquet": table, "default/other/0000.parquet": table},
        "refs/convert/parquet",
    )
    hub.commit("acme/converted", {"converted.py": "raise SystemExit"})

    real = client.load(
        path="acme/converted",
        revision="refs/convert/parquet",
        data_files={"train": "default/train_wiki/*.parquet"},
        join=" ",
        labels={"P17": "in/door", "P118": "out door"},
        splits={"train": "train", "test": None},
    )

    assert real["source"] == f"acme/converted@{sha}"
    assert real["dropped"] == {"P9": 1}
    assert sorted(real["train"][0] + real["test"][0]) == ["A fern", "A palm", "A rose", "An oak"]


def test_a_configuration_of_the_card_is_read(hub: Hub, client: Client) -> None:
    """`name` picks one of several; the splits that the card states for all files do not matter."""
    card = """---
configs:
- {config_name: wet, data_files: [{split: train, path: wet/*}, {split: test, path: dry/*}]}
- {config_name: dry, data_files: [{split: train, path: dry/*}, {split: test, path: wet/*}]}
---
"""
    files = {"README.md": card, "wet/a.parquet": rows("Reed", "Lily")}
    hub.commit("acme/named", {**files, "dry/a.parquet": rows("Sage", "Thyme")})

    for name, first in (("wet", "Reed"), ("dry", "Sage")):
        assert client.load(path="acme/named", name=name)["train"][0][0] == first


def test_data_files_may_be_a_part_of_what_the_card_states(hub: Hub, client: Client) -> None:
    """Sizes that the card gives for all splits are no reason to refuse one of them."""
    card = """---
dataset_info:
  features: [{name: note, dtype: string}, {name: place, dtype: int64}]
  splits: [{name: train, num_examples: 900}, {name: extra, num_examples: 7}]
---
"""
    hub.commit("acme/sized", {"README.md": card, **two_splits("Sized")})

    real = client.load(
        path="acme/sized",
        data_files={"train": "train-*.parquet", "test": "test-*.parquet"},
    )

    assert real["train"][0] == ["Sized fern", "Sized oak"]


@pytest.mark.parametrize(
    "labels", [{0: "in/door", 1: "out door"}, {"house": "in/door", "lawn": "out door"}]
)
def test_classes_are_known_by_number_and_by_name(
    labels: dict[Any, str], hub: Hub, client: Client
) -> None:
    """A ClassLabel of the Hub may be mapped either way; other classes are dropped by number."""
    names = ["house", "lawn", "sea"]
    train = rows("Palm", "Elm", "Kelp", places=(0, 1, 2), names=names)
    test = rows("Fern", "Oak", "Alga", places=(0, 1, 2), names=names)
    hub.commit("acme/classes", {"train.parquet": train, "test.parquet": test})

    real = client.load(path="acme/classes", labels=labels)

    assert real["test"] == [["Fern", "Oak"], [0, 1]]
    assert real["dropped"] == {"2": 2}


def test_rows_with_several_classes_are_dropped_and_counted(hub: Hub, client: Client) -> None:
    """As in the Reddit emotion task: a list of one class is that class."""
    places, names = ([0], [1], [0, 1]), ["house", "lawn"]
    train = rows("Palm", "Elm", "Moss", places=places, names=names)
    test = rows("Fern", "Oak", "Ivy", places=places, names=names)
    hub.commit("acme/lists", {"train.parquet": train, "test.parquet": test})

    real = client.load(path="acme/lists", labels={"house": "in/door", "lawn": "out door"})

    assert real["test"] == [["Fern", "Oak"], [0, 1]]
    assert real["dropped"] == {"several labels": 2}


def test_slices_of_a_split_are_read(hub: Hub, client: Client) -> None:
    """`train[:50%]` and `train[50%:]` are two splits of one."""
    table = rows("Fern", "Oak", "Palm", "Elm")
    hub.commit("acme/sliced", {"train.parquet": table})

    real = client.load(path="acme/sliced", splits={"train": "train[:50%]", "test": "train[50%:]"})

    assert (real["train"][0], real["test"][0]) == (["Fern", "Oak"], ["Palm", "Elm"])


def test_a_folder_of_the_same_name_is_not_taken_for_the_data_set(hub: Hub, client: Client) -> None:
    """Wherever the process runs: the Hub was asked for, and the commit is the Hub's."""
    folder = client._home / "acme" / "plants"
    folder.mkdir(parents=True)
    for name, table in two_splits("Local").items():
        pyarrow.parquet.write_table(table, folder / name)

    try:
        assert client.load(path="acme/plants")["train"][0][0] == "New fern"
    finally:
        shutil.rmtree(client._home / "acme")


# ---- What is refused ------------------------------------------------------------------------


def test_a_split_that_is_not_there_is_named_with_those_there_are(client: Client) -> None:
    """A mistake of the task file, not a failure of the Hub."""
    answer = client.load(path="acme/plants", splits={"train": "train", "test": "dev"})

    assert answer["not_at_hand"] is False
    assert "acme/plants has no split 'dev'; it has" in answer["refused"]
    assert "correct real.splits" in answer["refused"]


def test_a_column_that_is_not_there_is_named_with_those_there_are(client: Client) -> None:
    """The source is the data set with its commit."""
    answer = client.load(path="acme/plants", text="body")

    assert "no column 'body' or 'text'; it has 'note', 'place'" in answer["refused"]
    assert answer["refused"].startswith("acme/plants@")


def test_values_of_which_none_is_mapped_are_refused(client: Client) -> None:
    """The mapping was written without the data at hand: it is shown what the values are."""
    answer = client.load(path="acme/plants", labels={"P1": "in/door", "P2": "out door"})

    assert "labels that task plants does not have: '0', '1' (0 rows fit)" in answer["refused"]


@pytest.mark.parametrize(
    ("real", "error"),
    [
        ({"path": "acme/nowhere"}, "RepositoryNotFoundError"),
        ({"path": "acme/secret"}, "RepositoryNotFoundError"),
        ({"path": "acme/plants", "revision": "v9"}, "RevisionNotFoundError"),
        ({"path": "acme/plants", "name": "no_such_configuration"}, "no_such_configuration"),
        (
            {"path": "acme/plants", "data_files": {"train": "none/*.csv", "test": "test*"}},
            "{'train': (None",
        ),
    ],
)
def test_what_the_hub_does_not_give_is_not_at_hand(
    real: dict[str, Any], error: str, hub: Hub, client: Client
) -> None:
    """Missing, private, another revision: one line with data set, error and what to do."""
    hub.commit("acme/secret", two_splits("Secret"), private=True)

    message = client.not_at_hand(**real)

    assert message.startswith(f"cannot load {real['path']} from the Hub")
    assert error in message
    assert message.endswith("check the network, HF_ENDPOINT and HF_TOKEN, or give --real PATH")


@pytest.mark.parametrize(
    "fault",
    [
        (r"/api/datasets/acme/stale/revision|/api/datasets/acme/stale$", 503),
        (r"/resolve/[^/]*/README\.md", 403),
        (r"/resolve/[^/]*/stale\.py", 403),
        (r"/tree/|/paths-info/", 403),
        (r"\.parquet$", 403),
    ],
)
def test_a_hub_that_fails_is_never_replaced_by_an_older_version(
    fault: tuple[str, int], hub: Hub, client: Client
) -> None:
    """A version is cached, a newer one is asked for, and a step of loading it fails."""
    hub.fail()
    hub.commit("acme/stale", two_splits("Stale"))
    assert client.load(path="acme/stale")["train"][0][0] == "Stale fern"
    hub.commit("acme/stale", two_splits("Fresh"))
    hub.fail(fault)

    answer = client.load(path="acme/stale")

    # The clients do not need every answer: where they get on without, it is with the new version.
    assert answer.get("not_at_hand") or answer["train"][0][0] == "Fresh fern"
    hub.fail()
    assert client.load(path="acme/stale")["train"][0][0] == "Fresh fern"


# ---- Other surroundings ---------------------------------------------------------------------


def test_a_private_data_set_is_read_with_a_token(hub: Hub, tmp_path: Path) -> None:
    """`HF_TOKEN` is what opens it; the token is in no message."""
    hub.commit("acme/hidden", two_splits("Hidden"), private=True)
    reader = Client(hub.server.endpoint, tmp_path / "home", HF_TOKEN="hf_reader")

    read = reader.load(path="acme/hidden")
    refused = reader.not_at_hand(path="acme/nothing")

    reader.close()
    assert read["train"][0] == ["Hidden fern", "Hidden oak"]
    assert "hf_reader" not in refused


def test_a_hub_that_went_away_is_not_at_hand_though_the_data_is_cached(
    tmp_path: Path, hub: Hub
) -> None:
    """Unreachable means unreachable, for the pinned and for the moving revision alike."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "hub_server.py"), str(hub.server.root)],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        visitor = Client(server.stdout.readline().strip(), tmp_path / "home")
        assert visitor.load(path="acme/plants", revision="v1")["train"][0][0] == "Old fern"
        server.terminate()
    for revision in ("v1", "main"):
        message = visitor.not_at_hand(path="acme/plants", revision=revision)
        assert "cannot load acme/plants from the Hub (ConnectError" in message
    visitor.close()


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_offline_means_that_the_hub_is_not_asked(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named, so that whoever set it can take it back."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv(name, "1")

    with pytest.raises(NotAtHand, match=f"ucirvine/sms_spam: {name} is set; unset it"):
        load_real(load_task("sms_spam"), "hub")


def test_a_task_without_a_data_set_has_none_on_the_hub() -> None:
    """It says what to give instead."""
    with pytest.raises(NotAtHand, match="task humor names no data set on the Hub: give --real"):
        load_real(replace(load_task("humor"), real=None), "hub")
