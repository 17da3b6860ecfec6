"""One repository on the Hub: the real client, in a process of its own, over real HTTP."""

import base64
import io
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hub_server import HubServer, running_hub

from builders.errors import UserError
from push_scripts.repository import Repository

# Carries out, for each line, calls on one Repository; answers with their results.
CLIENT = """
import base64, dataclasses, json, sys
from pathlib import Path
from builders.errors import UserError
from push_scripts.repository import Repository

def content(data):
    return Path(data[5:]) if data.startswith("file:") else base64.b64decode(data)

def shown(result):
    if isinstance(result, bytes):
        return base64.b64encode(result).decode()
    return dataclasses.asdict(result) if dataclasses.is_dataclass(result) else result

for line in sys.stdin:
    name, kind, token, calls = json.loads(line)
    results = []
    try:
        repository = Repository(name, kind, token)
        for method, arguments in calls:
            if "files" in arguments:
                files = arguments["files"].items()
                arguments["files"] = {path: content(data) for path, data in files}
            if arguments.get("commit") == "the pushed one":
                arguments["commit"] = results[-1]["commit"]
            results.append(shown(getattr(repository, method)(**arguments)))
        answer = {"results": results}
    except UserError as error:
        answer = {"refused": str(error), "results": results}
    print(json.dumps(answer), flush=True)
"""

README = b"---\nlicense: mit\n---\nNotes on plants.\n"


class Client:
    """A process that holds the unmodified client."""

    def __init__(self, hub: HubServer, token: str | None, *, xet: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLIENT],
            env=hub.environment(token, xet=xet),
            cwd=hub.homes,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []

    def ask(
        self, name: str, *calls: tuple[str, Any], kind: str = "dataset", token: str | None = None
    ) -> dict[str, Any]:
        """Carry out calls; return their results, and what the last was refused with."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, kind, token, calls]) + "\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline():
            self.said.append(line)
            if line.startswith("{"):
                return dict(json.loads(line))
        raise AssertionError("".join(self.said))

    def results(self, name: str, *calls: tuple[str, Any], **more: Any) -> list[Any]:
        """Carry out calls; return their results."""
        answer = self.ask(name, *calls, **more)
        assert "refused" not in answer, answer
        return list(answer["results"])

    def refused(self, name: str, *calls: tuple[str, Any], **more: Any) -> str:
        """Return the one line that the last call is refused with."""
        answer = self.ask(name, *calls, **more)
        assert "\n" not in answer["refused"], answer
        return str(answer["refused"])

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def commit(
    files: Mapping[str, bytes | Path],
    delete: tuple[str, ...] = (),
    parent: str | None = None,
    message: str = "Release",
    **more: Any,
) -> tuple[str, dict[str, Any]]:
    """Return the call that commits."""
    sent = {
        path: f"file:{data}" if isinstance(data, Path) else base64.b64encode(data).decode()
        for path, data in files.items()
    }
    fixed = {"files": sent, "delete": list(delete), "message": message, "parent": parent}
    return "commit", fixed | more


TAG = ("tag", {"name": "v1.0.0", "commit": "the pushed one"})
SNAPSHOT: tuple[str, dict[str, Any]] = ("snapshot", {})


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """Run one Hub for the module."""
    with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def hub(shared_hub: HubServer) -> HubServer:
    """Return the Hub, without faults and with a new trace."""
    shared_hub.reset()
    return shared_hub


@pytest.fixture(scope="module")
def writer(shared_hub: HubServer) -> Iterator[Client]:
    """Start one client that may write: starting one costs most of a second."""
    client = Client(shared_hub, "hf_writer")
    yield client
    client.close()


@pytest.fixture(scope="module")
def xet_writer(shared_hub: HubServer) -> Iterator[Client]:
    """Start one client that may write and uses Xet, as by default."""
    client = Client(shared_hub, "hf_writer", xet=True)
    yield client
    client.close()


def titles(hub: HubServer, name: str) -> list[str]:
    """Return the titles of the commits on `main`, the newest first."""
    head = hub.store.refs("datasets", name)["refs/heads/main"]
    return [each["title"] for each in hub.store.history("datasets", name, head)]


def files(hub: HubServer, name: str, revision: str = "main") -> dict[str, bytes]:
    """Return the contents of a revision, but the Hub's own `.gitattributes`."""
    contents = hub.store.contents("datasets", name, revision)
    return {path: data for path, data in contents.items() if path != ".gitattributes"}


# ---- What is written ------------------------------------------------------------------------


def test_a_repository_is_private_until_told_otherwise(hub: HubServer, writer: Client) -> None:
    """Also where it is made again: one that exists keeps its visibility, either way."""
    assert writer.results("acme/new", ("exists", {})) == [False]
    writer.results("acme/new", ("create", {}), ("create", {"private": False}))
    writer.results("acme/open", ("create", {"private": False}), ("create", {}))

    assert writer.results("acme/new", ("exists", {}), ("is_private", {})) == [True, True]
    assert writer.results("acme/open", ("is_private", {})) == [False]


def test_files_are_added_replaced_and_deleted_in_one_commit(hub: HubServer, writer: Client) -> None:
    """What is not named stays."""
    before = {"README.md": b"Old\n", "old.txt": b"old", "kept.txt": b"kept"}
    hub.store.add("datasets", "acme/once", before)

    change = commit({"README.md": README, "data/a.parquet": b"PAR1 a"}, ("old.txt", "nowhere"))
    (pushed,) = writer.results("acme/once", change)

    assert titles(hub, "acme/once") == ["Release", "by hand", "initial commit"]
    assert files(hub, "acme/once") == {
        "README.md": README,
        "data/a.parquet": b"PAR1 a",
        "kept.txt": b"kept",
    }
    assert pushed == {
        "commit": hub.store.refs("datasets", "acme/once")["refs/heads/main"],
        "url": f"{hub.endpoint}/datasets/acme/once/commit/{pushed['commit']}",
        "created": True,
        "proposed": False,
    }


def test_what_is_there_already_is_not_committed_again(hub: HubServer, writer: Client) -> None:
    """Neither content that git holds nor content in LFS; nothing at all is sent."""
    hub.store.create("datasets", "acme/same", private=True)
    change = commit({"README.md": README, "a.parquet": b"PAR1 same"}, ("gone.txt",))
    (first,) = writer.results("acme/same", change)
    hub.reset()

    (second,) = writer.results("acme/same", change)

    assert second == {**first, "created": False}
    assert [line["method"] for line in hub.trace()] == ["GET", "GET"]


def test_only_what_differs_is_sent(hub: HubServer, writer: Client) -> None:
    """A new card for a corpus that has not changed uploads the card."""
    hub.store.create("datasets", "acme/card", private=True)
    writer.results("acme/card", commit({"README.md": README, "a.parquet": b"PAR1 card"}))
    hub.reset()

    writer.results("acme/card", commit({"README.md": b"New\n", "a.parquet": b"PAR1 card"}))

    assert not [line for line in hub.trace() if "lfs" in line["path"]]
    assert files(hub, "acme/card") == {"README.md": b"New\n", "a.parquet": b"PAR1 card"}


@pytest.mark.parametrize("xet", [False, True], ids=["plain", "xet"])
def test_large_files_arrive_whole(
    xet: bool, hub: HubServer, writer: Client, xet_writer: Client, tmp_path: Path
) -> None:
    """Random bytes, text and numbers that pack well; with Xet, as by default, and without it."""
    name = f"acme/large-{xet}".lower()
    hub.store.create("datasets", name, private=True)
    rng = random.Random(7)
    contents = {
        "random.bin": rng.randbytes(3_000_000),
        "text.parquet": b"".join(b"%d ferns and mosses\n" % i for i in range(90_000)),
        "numbers.bin": b"".join(i.to_bytes(4, "little") for i in range(300_000)),
        "README.md": README,
    }
    for path, data in contents.items():
        (tmp_path / path).write_bytes(data)
    client = xet_writer if xet else writer

    client.results(name, commit({path: tmp_path / path for path in contents}))
    read = client.results(name, ("read", {"path": "random.bin", "revision": "main"}))

    assert files(hub, name) == contents
    assert base64.b64decode(read[0]) == contents["random.bin"]
    paths = [line["path"] for line in hub.trace()]
    assert any(path.startswith("/_cas/v1/shards") for path in paths) is xet
    assert any(path.startswith("/_lfs/") for path in paths) is not xet


def test_a_snapshot_says_what_a_revision_holds(hub: HubServer, writer: Client) -> None:
    """Sizes and ids; the ones below are from `git hash-object` and `sha256sum`."""
    contents = {"a.txt": b"hello\n", "data/b.parquet": b"PAR1"}
    sha = hub.store.add("datasets", "acme/seen", contents, "refs/tags/v1")

    tagged, main, none = writer.results(
        "acme/seen",
        ("snapshot", {"revision": "v1"}),
        SNAPSHOT,
        ("snapshot", {"revision": "v9"}),
    )

    assert tagged["commit"] == sha
    assert tagged["files"]["a.txt"] == {
        "path": "a.txt",
        "size": 6,
        "sha256": None,
        "oid": "ce013625030ba8dba906f756967f9e9ca394464a",
    }
    assert tagged["files"]["data/b.parquet"]["sha256"] == (
        "fbc62d3b511368ee275ddc74117d8689b430e1427220e25d30816201d89ca7b6"
    )
    assert list(main["files"]) == [".gitattributes"]
    assert none is None
    assert writer.results("acme/nowhere", SNAPSHOT, ("tags", {})) == [None, {}]


def test_a_file_is_read_as_the_revision_has_it(hub: HubServer, writer: Client) -> None:
    """None where it has no such file, or there is no such revision."""
    hub.store.add("datasets", "acme/read", {"a.txt": b"old"}, "refs/heads/main", "refs/tags/v1")
    hub.store.add("datasets", "acme/read", {"a.txt": b"new"})

    asked = [("a.txt", "v1"), ("a.txt", "main"), ("b.txt", "v1"), ("a.txt", "v2")]
    read = writer.results(
        "acme/read", *(("read", {"path": path, "revision": rev}) for path, rev in asked)
    )

    assert [each and base64.b64decode(each) for each in read] == [b"old", b"new", None, None]


def test_a_name_without_an_owner_is_the_users_own(hub: HubServer, writer: Client) -> None:
    """As `hf upload` has it."""
    writer.results("mine", ("create", {}), commit({"README.md": README}), TAG)

    assert files(hub, "writer/mine", "v1.0.0") == {"README.md": README}


def test_models_have_addresses_of_their_own(hub: HubServer, writer: Client) -> None:
    """A model's repository is not the data set's of the same name."""
    calls: tuple[tuple[str, Any], ...] = (("create", {}), commit({"config.json": b"{}"}), TAG)
    _, pushed, _ = writer.results("acme/own", *calls, kind="model")

    assert hub.store.contents("models", "acme/own", "v1.0.0")["config.json"] == b"{}"
    assert pushed["url"] == f"{hub.endpoint}/acme/own/commit/{pushed['commit']}"
    assert writer.results("acme/own", ("exists", {})) == [False]


# ---- Others commit too ----------------------------------------------------------------------


def test_a_commit_to_other_files_is_kept(hub: HubServer, writer: Client) -> None:
    """The change was made for the commit before it, and goes on top of it."""
    parent = hub.store.add("datasets", "acme/both", {"README.md": b"Old\n"})
    hub.store.add("datasets", "acme/both", {"theirs.txt": b"theirs"})

    writer.results("acme/both", commit({"README.md": README}, parent=parent))

    assert files(hub, "acme/both") == {"README.md": README, "theirs.txt": b"theirs"}


@pytest.mark.parametrize("path", ["README.md", "old.txt", "new.txt"])
def test_a_commit_to_the_same_files_is_not_overwritten(
    path: str, hub: HubServer, writer: Client
) -> None:
    """Whether the change would replace, delete or add the file."""
    name = f"acme/overtaken-{path.lower()}"
    parent = hub.store.add("datasets", name, {"README.md": b"Old\n", "old.txt": b"old"})
    hub.store.add("datasets", name, {path: b"theirs"})

    change = commit({"README.md": README, "new.txt": b"new"}, ("old.txt",), parent=parent)
    refused = writer.refused(name, change)

    assert f"changed {path!r} in the meantime; run the push again" in refused
    assert files(hub, name)[path] == b"theirs"


def test_two_that_push_at_once_lose_nothing(
    hub: HubServer, writer: Client, xet_writer: Client
) -> None:
    """Commits overtake one another, are refused with 412, and are made anew on top."""
    hub.store.create("datasets", "acme/crowd", private=True)

    def push(client: Client, own: str) -> None:
        for i in range(6):
            client.results("acme/crowd", commit({f"{own}{i}.txt": b"x"}, message=own))

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(push, writer, "a"), pool.submit(push, xet_writer, "b")]:
            each.result()

    assert sorted(titles(hub, "acme/crowd")) == [*"aaaaaabbbbbb", "initial commit"]
    assert sorted(files(hub, "acme/crowd")) == [f"{own}{i}.txt" for own in "ab" for i in range(6)]


def test_a_commit_of_another_between_look_and_commit_is_kept(
    hub: HubServer, writer: Client
) -> None:
    """The Hub refuses the first try with 412; nothing is overwritten unseen."""
    parent = hub.store.add("datasets", "acme/between", {"README.md": b"Old\n"})
    hub.fault(pattern="/commit/main", status=412)

    (pushed,) = writer.results("acme/between", commit({"README.md": README}, parent=parent))

    tries = [line["path"] for line in hub.trace() if "/commit/" in line["path"]]
    assert pushed["created"] and len(tries) == 2
    assert titles(hub, "acme/between") == ["Release", "by hand", "initial commit"]


def test_a_pull_request_leaves_main_alone(hub: HubServer, writer: Client) -> None:
    """The same again is the same pull request; another content is another one."""
    hub.store.add("datasets", "acme/asked", {"README.md": b"Old\n"})
    propose = commit({"README.md": README}, pull_request=True)
    other = commit({"README.md": b"Other\n"}, pull_request=True)

    first, second, third = writer.results("acme/asked", propose, propose, other)

    assert files(hub, "acme/asked") == {"README.md": b"Old\n"}
    assert first["created"] and first["url"].endswith("/datasets/acme/asked/discussions/1")
    assert second == {**first, "created": False}
    assert third["url"].endswith("/discussions/2")
    assert files(hub, "acme/asked", "refs/pr/1") == {"README.md": README}


def test_a_tag_on_another_commit_is_never_moved(hub: HubServer, writer: Client) -> None:
    """The clients' `exist_ok` would hide it; the same commit again is fine."""
    old = hub.store.add("datasets", "acme/tagged", {"a": b"1"}, "refs/heads/main", "refs/tags/v1")
    new = hub.store.add("datasets", "acme/tagged", {"a": b"2"})

    assert writer.results("acme/tagged", ("tag", {"name": "v1", "commit": old})) == [None]
    refused = writer.refused("acme/tagged", ("tag", {"name": "v1", "commit": new}))

    assert refused.startswith(f"acme/tagged: the tag v1 is on commit {old[:12]}, not on {new[:12]}")
    assert writer.results("acme/tagged", ("tags", {})) == [{"v1": old}]


# ---- Faults ---------------------------------------------------------------------------------


def release(hub: HubServer, client: Client, name: str) -> dict[str, Any]:
    """Commit to a new repository, and tag; return what became of the commit."""
    hub.store.add("datasets", name, {"old.txt": b"old"}, private=True)
    hub.reset()
    return _released(client, name)


def _released(client: Client, name: str) -> dict[str, Any]:
    change = commit({"README.md": README, "a.parquet": f"PAR1 {name}".encode()}, ("old.txt",))
    return dict(client.results(name, change, TAG)[0])


def assert_released_once(hub: HubServer, name: str) -> None:
    """One commit, whole, and the tag on it."""
    assert titles(hub, name) == ["Release", "by hand", "initial commit"]
    assert files(hub, name, "v1.0.0") == {
        "README.md": README,
        "a.parquet": f"PAR1 {name}".encode(),
    }
    refs = hub.store.refs("datasets", name)
    assert refs["refs/tags/v1.0.0"] == refs["refs/heads/main"]


FAULTS: dict[str, dict[str, Any]] = {
    **{str(status): {"status": status} for status in (409, 412, 429, 500, 503)},
    "lost-request": {"do": "drop"},
    "lost-reply": {"do": "drop", "when": "after"},
    "lost-reply-500": {"status": 500, "when": "after"},
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request_ends_in_one_commit(
    fault: str, hub: HubServer, writer: Client
) -> None:
    """Each request of an unbroken push fails once, in a push of its own."""
    release(hub, writer, f"acme/unbroken-{fault}")
    trace = hub.trace()
    assert_released_once(hub, f"acme/unbroken-{fault}")
    assert sum("/commit/" in line["path"] for line in trace) == 1

    # At these the client waits a second before it tries again by itself, whatever the status.
    slow = ("/preupload/", "/info/lfs/", "/_lfs/") if fault.endswith("500") else ("nowhere",)
    for line in trace:
        if any(part in line["path"] for part in slow):
            continue
        name = f"acme/broken-{fault}-{line['number']}"
        hub.store.add("datasets", name, {"old.txt": b"old"}, private=True)
        hub.reset()
        headers = {"Retry-After": "0"}
        hub.fault(number=line["number"], headers=headers, **FAULTS[fault])

        pushed = _released(writer, name)

        assert pushed["created"], line
        assert [each for each in hub.trace() if "fault" in each], line
        assert_released_once(hub, name)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", ["/commit/", "/tag/"])
def test_a_push_that_was_killed_is_finished_by_the_next(
    what: str, when: str, hub: HubServer, writer: Client
) -> None:
    """Killed at the request that commits, or the one that tags."""
    release(hub, writer, f"acme/whole{what.replace('/', '-')}{when}")
    number = next(line["number"] for line in hub.trace() if what in line["path"])
    name = f"acme/killed{what.replace('/', '-')}{when}"
    hub.store.add("datasets", name, {"old.txt": b"old"}, private=True)
    hub.reset()
    code = f"""
from push_scripts.repository import Repository
repository = Repository({name!r}, "dataset")
files = {{"README.md": {README!r}, "a.parquet": b"PAR1 {name}"}}
repository.tag("v1.0.0", repository.commit(files, ["old.txt"], "Release", None).commit)
"""

    assert hub.run(["-c", code], kill=(number, when)).code == -9
    _released(writer, name)

    assert_released_once(hub, name)


@pytest.mark.parametrize("path", ["/xet-write-token/", "/_cas/v1/xorbs", "/_cas/v1/shards"])
def test_a_fault_of_xet_ends_in_one_commit(path: str, hub: HubServer, xet_writer: Client) -> None:
    """The request for the token, a xorb or the shard fails once."""
    name = f"acme/xet{path.replace('/', '-').replace('_', '')}".rstrip("-")
    hub.store.add("datasets", name, {"old.txt": b"old"}, private=True)
    hub.reset()
    hub.fault(pattern=path, status=503, headers={"Retry-After": "0"})

    _released(xet_writer, name)

    assert [line for line in hub.trace() if "fault" in line]
    assert_released_once(hub, name)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_reply_makes_one_repository_and_one_pull_request(
    when: str, hub: HubServer, writer: Client
) -> None:
    """Whether the request or the reply to it was lost."""
    hub.fault(pattern="/repos/create", do="drop", when=when)
    hub.fault(pattern="/commit/main", do="drop", when=when)
    name = f"acme/lost-{when}"

    propose = commit({"README.md": README}, pull_request=True)
    _, pushed = writer.results(name, ("create", {}), propose)

    assert pushed["created"]
    assert set(hub.store.refs("datasets", name)) == {"refs/heads/main", "refs/pr/1"}


def test_a_hub_that_goes_on_failing_is_given_up(hub: HubServer, writer: Client) -> None:
    """After a bounded number of tries, with one line that says what to do."""
    hub.store.create("datasets", "acme/down", private=True)
    headers = {"Retry-After": "0"}
    hub.fault(pattern="/commit/main", status=503, times=1000, headers=headers)

    refused = writer.refused("acme/down", commit({"a.txt": b"a"}))

    assert refused.endswith("(tried 8 times); run it again later")
    assert "dataset repository acme/down: the Hub answered 503" in refused
    assert sum("/commit/" in line["path"] for line in hub.trace()) == 8


# ---- Who may not ----------------------------------------------------------------------------


def test_tokens_are_held_to_what_they_may(hub: HubServer, writer: Client) -> None:
    """A reader reads, an outsider does not even see, and both are refused the write in words."""
    hub.store.add("datasets", "acme/hidden", {"a.txt": b"a"}, private=True)
    change = commit({"a.txt": b"b"})

    assert writer.results("acme/hidden", ("exists", {}), token="hf_reader") == [True]
    reader = writer.refused("acme/hidden", change, token="hf_reader")
    assert writer.results("acme/hidden", ("exists", {}), token="hf_outsider") == [False]
    outsider = writer.refused("acme/hidden", change, token="hf_outsider")
    founder = writer.refused("acme/other", ("create", {}), token="hf_outsider")
    unknown = writer.refused("acme/hidden", change, token="hf_unknown")

    assert "the token may not do this (403: You don't have the rights to write" in reader
    assert "acme/hidden: no such repository, or the token may not see it" in outsider
    assert "the token may not do this (403: You don't have the rights to create" in founder
    assert "acme/hidden: the Hub does not know the token (401)" in unknown
    assert files(hub, "acme/hidden") == {"a.txt": b"a"}


def test_without_a_token_only_what_is_public_is_seen(hub: HubServer) -> None:
    """And nothing is written."""
    hub.store.add("datasets", "acme/closed", {"a.txt": b"a"}, private=True)
    hub.store.add("datasets", "acme/public", {"a.txt": b"a"})
    nobody = Client(hub, None)

    seen = [nobody.results(name, ("exists", {})) for name in ("acme/closed", "acme/public")]
    refused = nobody.refused("acme/public", commit({"a.txt": b"b"}))
    nobody.close()

    assert seen == [[False], [True]]
    assert refused.endswith("acme/public: this takes a token; set HF_TOKEN, or `hf auth login`")
    assert files(hub, "acme/public") == {"a.txt": b"a"}


def test_a_token_is_in_no_message(hub: HubServer) -> None:
    """Not even where the Hub's own message quotes it, or it could not be sent."""
    secret = "hf_outsider"
    client = Client(hub, secret)
    hub.store.add("datasets", "acme/quoting", {"a.txt": b"a"})
    for status in (400, 403, 404):
        message = f"no right for Bearer {secret} at https://cdn.example/?signature={secret}"
        hub.fault(pattern="/preupload/", status=status, message=message)
        refused = client.refused("acme/quoting", commit({"a.txt": b"b"}))
        assert f"({status}" in refused or f"answered {status}" in refused
        assert "no right for Bearer (token) at (address)" in refused
    odd = client.refused("acme/quoting", SNAPSHOT, token=f"{secret}\nX-Evil: 1")
    client.close()

    assert "the token has characters that no token has" in odd
    assert secret not in "".join(client.said)


def test_a_card_that_the_hub_refuses_is_refused_before_anything_is_sent(
    hub: HubServer, writer: Client
) -> None:
    """With the Hub's own words."""
    hub.store.create("datasets", "acme/wrong", private=True)

    change = commit({"README.md": b"---\ntags: {a: b}\n---\n", "a.parquet": b"PAR1 wrong"})
    refused = writer.refused("acme/wrong", change)

    assert '"tags" must be an array' in refused
    assert files(hub, "acme/wrong") == {}
    assert not [line for line in hub.trace() if "lfs" in line["path"]]


# ---- Names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../plants",
        "acme/../plants",
        "/acme/plants",
        "acme/plants/",
        "acme/plants/more",
        "acme//plants",
        "acme/pla\0nts",
        "acme/pla\nnts",
        "acme/..",
        "acme/.",
        "acme/plants.git",
        "acme/a--b",
        "acme/pflänzchen",
        "acme/<b>",
        "acme/" + "a" * 97,
        "",
        "C:\\plants",
    ],
)
def test_a_name_that_climbs_or_that_no_repository_has_is_refused(name: str) -> None:
    """In one printable line."""
    with pytest.raises(UserError, match="cannot name a repository: give OWNER/NAME") as caught:
        Repository(name, "dataset")

    assert str(caught.value).isprintable() and len(str(caught.value)) < 250


@pytest.mark.parametrize("name", ["plants", "acme/plants", "A-1/b_c.d-2.0", "a/" + "a" * 96])
def test_a_name_as_the_hub_has_them_is_taken(name: str) -> None:
    """Letters, digits, '-', '_' and '.'."""
    assert Repository(name, "model").kind == "model"


@pytest.mark.parametrize(
    "path",
    [
        "../a.txt",
        "a/../../b.txt",
        "/etc/passwd",
        "a//b",
        "./a",
        "a/",
        "",
        "a\0b",
        "a\nb",
        "a\\b",
        ".git/config",
        "data/.GIT/config",
        "a" * 256,
        "a\u202eb",
    ],
)
def test_a_path_that_climbs_is_refused(path: str) -> None:
    """Whether it is to be added, deleted or read; before anything is asked of the Hub."""
    repository = Repository("acme/plants", "dataset")
    calls: list[Any] = [
        lambda: repository.commit({path: b"x"}, [], "Release", None),
        lambda: repository.commit({}, [path], "Release", None),
        lambda: repository.read(path, "main"),
    ]
    for call in calls:
        with pytest.raises(UserError, match="cannot be a file of a repository: give a plain path"):
            call()


@pytest.mark.parametrize("revision", ["../main", "a/../b", "/a", "a b", "-x", "a.lock", "", "a\0"])
def test_a_revision_that_climbs_is_refused(revision: str) -> None:
    """As a tag too."""
    repository = Repository("acme/plants", "dataset")
    with pytest.raises(UserError, match="cannot name a revision"):
        repository.snapshot(revision)
    with pytest.raises(UserError, match="cannot name a tag"):
        repository.tag(revision, "0" * 40)


def test_a_local_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """With the place that it was meant for."""
    with pytest.raises(UserError, match=r"none\.parquet is missing, or no file; it was to become"):
        Repository("acme/plants", "dataset").commit(
            {"a.parquet": tmp_path / "none.parquet"}, [], "Release", None
        )


# ---- What a consumer gets -------------------------------------------------------------------

LOAD = """
import json, sys
from datasets import load_dataset
rows = {}
for tag in ("v1.0.0", "v2.0.0"):
    loaded = load_dataset(sys.argv[1], revision=tag)
    rows[tag] = list(loaded["train"]["note"])
    streamed = load_dataset(sys.argv[1], revision=tag, streaming=True, split="train")
    rows[f"{tag} streamed"] = [row["note"] for row in streamed]
print(json.dumps(rows))
"""


@pytest.mark.slow
@pytest.mark.parametrize("xet", [False, True], ids=["plain", "xet"])
def test_every_tag_loads_its_own_rows(xet: bool, hub: HubServer, writer: Client) -> None:
    """In a fresh process with empty caches, streamed too, from a host that sees no token."""
    rows = {"v1.0.0": ["Moss", "Fern"], "v2.0.0": ["Oak", "Elm", "Ash"]}
    name = f"acme/loaded-{xet}".lower()
    writer.results(name, ("create", {}))
    for tag, notes in rows.items():
        table = pyarrow.table({"note": notes})
        pyarrow.parquet.write_table(table, sink := io.BytesIO())
        data = {f"data/train-{tag}.parquet": sink.getvalue(), "README.md": README}
        old = ("data/train-v1.0.0.parquet",) if tag == "v2.0.0" else ()
        change = commit(data, old, message=f"Release {tag}")
        writer.results(name, change, ("tag", {"name": tag, "commit": "the pushed one"}))
    hub.reset()

    loaded = hub.run(["-c", LOAD, name], "hf_reader", xet=xet).json

    assert loaded == {**rows, **{f"{tag} streamed": notes for tag, notes in rows.items()}}
    elsewhere = [line for line in hub.trace() if line["path"].startswith("/_cdn/")]
    assert elsewhere and not any(line["token"] for line in elsewhere)
    assert {line["host"].partition(":")[0] for line in elsewhere} == {"localhost"}
    outsider = hub.run(["-c", LOAD, name], "hf_outsider", xet=xet)
    assert outsider.code == 1 and "DatasetNotFoundError" in outsider.err
