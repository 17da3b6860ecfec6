"""A model's release: what is sent, which version it gets, what its card says, what is refused."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hub_publisher import Publisher, Trial
from hub_server import Ended, HubServer, running_hub
from huggingface_hub import ModelCard
from safetensors.numpy import save_file

from builders.card import OWN_TEXT
from builders.facts import CorpusRecord
from evaluation.uncertainty.scores import Interval
from push_scripts.model_card import model_card
from trainers.run_folder import Scores, TrainedRun, write_run

PUSH = """
import json, sys
from pathlib import Path
from push_scripts.push_model import push_model
from builders.errors import UserError
try:
    done = push_model(Path(sys.argv[1]), sys.argv[2], **json.loads(sys.argv[3]))
except UserError as error:
    sys.exit(f"refused: {error}")
print(json.dumps(list(done.lines())))
"""
FILES = {".gitattributes", "README.md", "config.json", "model.safetensors", "run.json"}
OWN = "\nMind the gap.\n"


def scores(source: str, value: float = 0.8125) -> Scores:
    """Return the scores on one test set."""
    interval = Interval(value, value - 0.1, value + 0.1, 0.95)
    return Scores(source, 32, "c" * 64, interval, replace(interval, value=0.875))


def trained(**changed: Any) -> TrainedRun:
    """Return what is known of a model that real texts trained."""
    run = TrainedRun(
        task="drinks",
        title="Hot drinks",
        description="Which drink?",
        labels={"tea": "about tea", "coffee": "about coffee"},
        arm="real",
        trainer="probe",
        encoder="minilm",
        encoder_fingerprint="f" * 64,
        seed=4,
        settings={"pooling": "first"},
        n_per_label={"tea": 8, "coffee": 9},
        train_hash="d" * 64,
        train_source="org/drinks@abc123",
        tests=(scores("org/drinks@abc123"),),
        versions={"torch": "2.0"},
    )
    return replace(run, **changed)


def corpus() -> CorpusRecord:
    """Return the record of a corpus."""
    counts = {"tea": 8, "coffee": 9}
    return CorpusRecord(
        task="drinks",
        strategy="few_shot",
        llm="Made-up LLM 7",
        requested_per_label=9,
        candidates=17,
        kept=counts,
        surplus={},
        rejected={},
        failed_requests={},
        warnings={},
        statuses={},
        content_hash="d" * 64,
        path="",
        caveats=("Half of the texts rhyme.",),
    )


def folder(place: Path, run: TrainedRun, weight: float = 1.0) -> Path:
    """Write a run with a weight of one number."""
    place.mkdir(parents=True, exist_ok=True)
    for path in place.iterdir():
        path.unlink()
    save_file({"w": np.array([weight])}, place / "model.safetensors")
    (place / "config.json").write_text('{"model_type": "bert"}')
    write_run(run, place)
    return place


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """Run a Hub."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Return a repository of this test's own."""
    return f"acme/{request.node.name.partition('[')[0].removeprefix('test_')[:60]}"


def push(hub: HubServer, run: Path, name: str, token: str = "hf_writer", **options: Any) -> Ended:
    """Push in a process of its own."""
    return hub.run(["-c", PUSH, str(run), name, json.dumps(options)], token=token)


def tags(hub: HubServer, name: str) -> dict[str, str]:
    """Return tag -> commit."""
    refs = hub.store.refs("models", name)
    return {r.removeprefix("refs/tags/"): c for r, c in refs.items() if r.startswith("refs/tags/")}


def card_of(hub: HubServer, name: str, revision: str = "main") -> str:
    """Return the card on the Hub."""
    return hub.store.contents("models", name, revision)["README.md"].decode()


def metadata(card: str) -> dict[str, Any]:
    """Return the YAML block as the Hub's own classes read it."""
    data: Any = ModelCard(card).data
    read: dict[str, Any] = data.to_dict()
    return read


def commits(hub: HubServer, name: str) -> int:
    """Return the number of commits on `main`."""
    head = hub.store.refs("models", name)["refs/heads/main"]
    return len(list(hub.store.history("models", name, head)))


# Releases


def test_a_first_push_is_one_commit_and_one_tag(hub: HubServer, name: str, tmp_path: Path) -> None:
    """A private repository, all files in one commit after the Hub's own first, v1.0.0 on it."""
    run = folder(tmp_path / "run", trained())
    lines = push(hub, run, name).json

    state = hub.store.load("models", name)
    assert state is not None
    assert state["private"] is True
    assert commits(hub, name) == 2
    assert tags(hub, name) == {"v1.0.0": hub.store.refs("models", name)["refs/heads/main"]}
    there = hub.store.contents("models", name, "v1.0.0")
    assert set(there) == FILES
    assert there["model.safetensors"] == (run / "model.safetensors").read_bytes()
    assert any("no licence is chosen" in line for line in lines)


def test_the_same_again_is_nothing_to_do(hub: HubServer, name: str, tmp_path: Path) -> None:
    """No commit, no tag, and it says so."""
    run = folder(tmp_path / "run", trained())
    assert push(hub, run, name, license="mit").code == 0
    before = hub.store.refs("models", name)

    (line,) = push(hub, run, name).json

    assert line == f"{name}: v1.0.0 holds this model; nothing to push"
    assert hub.store.refs("models", name) == before


def test_a_version_is_raised_by_what_changed(hub: HubServer, name: str, tmp_path: Path) -> None:
    """Weights: minor; record or licence alone: patch; labels: major. Old tags keep old weights."""
    place = tmp_path / "run"
    steps: list[tuple[TrainedRun, float, dict[str, str]]] = [
        (trained(), 1.0, {}),
        (trained(), 2.0, {}),
        (trained(versions={"torch": "2.1"}), 2.0, {}),
        (trained(versions={"torch": "2.1"}), 2.0, {"license": "mit"}),
        (trained(labels={"coffee": "c", "tea": "t"}), 2.0, {}),
    ]
    for run, weight, options in steps:
        done = push(hub, folder(place, run, weight), name, **options)
        assert done.code == 0, done.err

    assert sorted(tags(hub, name)) == ["v1.0.0", "v1.1.0", "v1.1.1", "v1.1.2", "v2.0.0"]
    old = hub.store.contents("models", name, "v1.0.0")["model.safetensors"]
    assert old == (folder(place, trained()) / "model.safetensors").read_bytes()
    assert "license: mit" in card_of(hub, name, "v2.0.0")  # kept, once it is chosen


def test_a_version_is_overridden_upward_only(hub: HubServer, name: str, tmp_path: Path) -> None:
    """A higher one is taken; one that is released, or lower than the change needs, is refused."""
    place = tmp_path / "run"
    assert push(hub, folder(place, trained()), name, version="1.4.0").code == 0
    changed = folder(place, trained(), 2.0)

    again = push(hub, changed, name, version="1.4.0")
    lower = push(hub, changed, name, version="1.4.1")

    assert "released with other content" in again.err
    assert "is lower than 1.5.0" in lower.err
    assert list(tags(hub, name)) == ["v1.4.0"]


def test_a_push_killed_before_its_tag_is_finished_by_the_next(
    hub: HubServer, name: str, tmp_path: Path
) -> None:
    """The commit that is there without a tag is found and tagged; there is no second one."""
    run = folder(tmp_path / "run", trained())
    hub.fault(method="POST", pattern=f"{name}/tag/", status=403)
    assert push(hub, run, name).code != 0
    hub.reset()
    head = hub.store.refs("models", name)["refs/heads/main"]
    assert tags(hub, name) == {}

    lines = push(hub, run, name).json

    assert tags(hub, name) == {"v1.0.0": head}
    assert any("was there without its tag" in line for line in lines)


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Publisher]:
    """Start a publisher with a Hub of its own, whose state may be set back."""
    with running_hub(tmp_path / "hub") as hub:
        person = Publisher(hub, tmp_path)
        yield person
        person.close()


def killed(publisher: Publisher, tmp_path: Path, *, first: bool) -> Trial:
    """Return a trial of a first release, or of a second one with another weight and a file less."""
    before = folder(tmp_path / "before", trained())
    (before / "vocab.txt").write_text("tea")
    write_run(trained(), before)
    after = folder(tmp_path / "after", trained(), 2.0)
    return Trial(publisher, after, None if first else before, "acme/killed", "model")


@pytest.mark.parametrize("first", [True, False])
def test_a_killed_push_is_mended_by_the_next(lone: Publisher, tmp_path: Path, first: bool) -> None:
    """Killed before and after each request that writes: whole tags, and the same end."""
    trial = killed(lone, tmp_path, first=first)
    numbers = trial.writes()

    assert set(numbers) == {"put", "commit", "tag"} | ({"create"} if first else set())
    for number in numbers.values():
        trial.kill(number, "before")
        trial.kill(number, "after")


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_push_killed_at_any_request_is_mended_by_the_next(
    lone: Publisher, tmp_path: Path, first: bool
) -> None:
    """Every request of the trace, before it is carried out and after."""
    trial = killed(lone, tmp_path, first=first)

    assert len(trial.trace) > 10
    for number in range(1, len(trial.trace) + 1):
        trial.kill(number, "before")
        trial.kill(number, "after")


def test_files_of_the_last_release_are_deleted(hub: HubServer, name: str, tmp_path: Path) -> None:
    """A file that the run no longer has goes; a file that somebody else put there stays."""
    place = folder(tmp_path / "run", trained())
    (place / "vocab.txt").write_text("tea")
    write_run(trained(), place)
    assert push(hub, place, name).code == 0
    hub.store.add("models", name, {"figure.txt": b"mine"})

    assert push(hub, folder(place, trained(), 2.0), name).code == 0

    assert set(hub.store.contents("models", name)) == FILES | {"figure.txt"}
    assert "vocab.txt" in hub.store.contents("models", name, "v1.0.0")


def test_a_dry_run_sends_nothing(hub: HubServer, name: str, tmp_path: Path) -> None:
    """It shows version, files, sizes and card; there is no repository afterwards."""
    run = folder(tmp_path / "run", trained())
    lines = push(hub, run, name, dry_run=True).json

    assert lines[0] == f"{name} v1.0.0"
    size = (run / "model.safetensors").stat().st_size
    assert f"  {size:>12,} bytes  model.safetensors" in lines
    assert "# Hot drinks" in lines[-1]
    assert hub.store.load("models", name) is None


def test_a_pull_request_is_no_release(hub: HubServer, name: str, tmp_path: Path) -> None:
    """`main` and the tags stay; the files stand in the pull request."""
    place = tmp_path / "run"
    assert push(hub, folder(place, trained()), name).code == 0
    before = hub.store.refs("models", name)

    lines = push(hub, folder(place, trained(), 2.0), name, pull_request=True).json

    after = hub.store.refs("models", name)
    (proposed,) = after.keys() - before.keys()
    assert proposed.startswith("refs/pr/")
    assert before.items() <= after.items()
    assert any(line.startswith("pull request: ") for line in lines)


def test_a_pull_request_that_is_open_is_taken_and_not_tagged(
    hub: HubServer, name: str, tmp_path: Path
) -> None:
    """The same push again finds it; a tag on it would be a release that `main` does not have."""
    place = tmp_path / "run"
    assert push(hub, folder(place, trained()), name).code == 0
    run = folder(place, trained(), 2.0)

    first, again = (push(hub, run, name, pull_request=True) for _ in range(2))

    assert again.json == first.json
    refs = hub.store.refs("models", name)
    assert len([ref for ref in refs if ref.startswith("refs/pr/")]) == 1
    assert [ref for ref in refs if ref.startswith("refs/tags/")] == ["refs/tags/v1.0.0"]


def test_a_public_repository_is_asked_for(hub: HubServer, name: str, tmp_path: Path) -> None:
    """A new repository is public with `public`."""
    assert push(hub, folder(tmp_path / "run", trained()), name, public=True).code == 0

    state = hub.store.load("models", name)
    assert state is not None
    assert state["private"] is False


# Refusals


def test_a_reader_cannot_push(hub: HubServer, name: str, tmp_path: Path) -> None:
    """One line that names the repository, without the token."""
    run = folder(tmp_path / "run", trained())
    assert push(hub, run, name).code == 0
    refused = push(hub, folder(run, trained(), 2.0), name, token="hf_reader")

    assert refused.code != 0
    (line,) = refused.err.strip().splitlines()
    assert name in line
    assert "hf_reader" not in line
    assert list(tags(hub, name)) == ["v1.0.0"]


def test_a_model_of_another_task_is_refused(hub: HubServer, name: str, tmp_path: Path) -> None:
    """A repository holds the models of one task."""
    assert push(hub, folder(tmp_path / "run", trained()), name).code == 0
    refused = push(hub, folder(tmp_path / "run", trained(task="meals"), 2.0), name)

    assert "holds models of task 'drinks'" in refused.err


def test_a_repository_of_others_is_refused(hub: HubServer, name: str, tmp_path: Path) -> None:
    """A tag like a release's on a model that no push wrote is nothing to compare with."""
    hub.store.add("models", name, {"pytorch_model.bin": b"x"}, "refs/tags/v1.0.0")
    refused = push(hub, folder(tmp_path / "run", trained()), name)

    assert "run.json is missing" in refused.err


# Cards


def test_own_text_is_kept(hub: HubServer, name: str, tmp_path: Path) -> None:
    """Text below the line and own keys of the YAML block outlive the next release."""
    assert push(hub, folder(tmp_path / "run", trained()), name).code == 0
    card = card_of(hub, name).replace("---\n", "---\nlanguage: en\n", 1) + OWN
    hub.store.add("models", name, {"README.md": card.encode()})

    assert push(hub, folder(tmp_path / "run", trained(), 2.0), name).code == 0

    kept = card_of(hub, name)
    assert kept.endswith(f"{OWN_TEXT}\n{OWN}")
    assert "\nlanguage: en\n" in kept
    assert 'revision="v1.1.0"' in kept


def test_a_card_that_somebody_wrote_is_kept_below_the_line(
    hub: HubServer, name: str, tmp_path: Path
) -> None:
    """A repository that had a card of its own keeps all of its text."""
    hub.store.add("models", name, {"README.md": b"# Ours\n\nBrewed by hand.\n"})
    assert push(hub, folder(tmp_path / "run", trained()), name).code == 0

    assert card_of(hub, name).partition(OWN_TEXT)[2].strip() == "# Ours\n\nBrewed by hand."


def test_edits_where_a_push_writes_are_not_lost(hub: HubServer, name: str, tmp_path: Path) -> None:
    """They are refused with where to move them."""
    assert push(hub, folder(tmp_path / "run", trained()), name).code == 0
    card = card_of(hub, name).replace("Which drink?", "Which drink is it?")
    hub.store.add("models", name, {"README.md": card.encode()})

    refused = push(hub, folder(tmp_path / "run", trained(), 2.0), name)

    assert "was edited above the line" in refused.err
    assert list(tags(hub, name)) == ["v1.0.0"]


def test_the_model_index_has_one_entry_a_test_set() -> None:
    """The Hub's classes read both scores of each, and the commit of a test set on the Hub."""
    run = trained(tests=(scores("org/drinks@abc123"), scores("$UNDERSTUDY_DATA/real/drinks", 0.5)))
    card = model_card(run, "acme/drinks", "1.0.0", "mit", None)

    results = metadata(card)["model-index"][0]["results"]
    assert [each["dataset"]["type"] for each in results] == ["org/drinks", "drinks"]
    assert results[0]["dataset"]["revision"] == "abc123"
    found = [[(m["name"], m["value"]) for m in each["metrics"]] for each in results]
    assert found == [
        [("Macro-F1", 0.8125), ("Accuracy", 0.875)],
        [("Macro-F1", 0.5), ("Accuracy", 0.875)],
    ]


def test_a_card_gives_scores_with_their_intervals() -> None:
    """A row a test set."""
    text = model_card(trained(), "acme/drinks", "1.0.0", None, None)

    assert "| 32 | 0.812 | 0.713 to 0.912 | 0.875 | 0.713 to 0.912 |" in text


def test_a_card_says_what_wrote_the_training_texts() -> None:
    """Arm, LLM and its caveats stand in it, and that the texts are synthetic; of real ones not."""
    written = model_card(trained(arm="few_shot", corpus=corpus()), "acme/d", "1.0.0", None, None)
    real = model_card(trained(), "acme/d", "1.0.0", None, None)

    for part in ("`few_shot`", "Made-up LLM 7", "- Half of the texts rhyme.", "- synthetic\n"):
        assert part in written
        assert part not in real


def test_a_card_names_the_data_sets_of_the_hub_that_trained_the_model() -> None:
    """Corpus and real texts, each with its commit; a folder or a file is no data set of the Hub."""
    there = {"corpus": corpus(), "corpus_source": "org/made-up@def456"}
    text = model_card(trained(**there), "acme/drinks", "1.0.0", None, None)
    here = model_card(
        trained(corpus=corpus(), train_source="drinks.csv"), "acme/d", "1.0.0", None, None
    )

    assert metadata(text)["datasets"] == ["org/made-up", "org/drinks"]
    assert "- Corpus: org/made-up@def456\n- Real texts: org/drinks@abc123\n" in text
    assert "datasets" not in metadata(here)


def test_a_card_keeps_no_fact_of_an_earlier_release() -> None:
    """What its run said of data sets, encoder and scores goes; what somebody added stays."""
    hub = "acme/drinks-corpus@" + "a" * 40
    run = trained(arm="few_shot", corpus=corpus(), corpus_source=hub)
    first = model_card(run, "acme/drinks", "1.0.0", "mit", None)
    assert {"datasets", "base_model", "metrics", "model-index"} <= metadata(first).keys()
    assert metadata(first)["tags"] == ["understudy", "synthetic"]
    edited = first.replace("tags:\n", "language: en\ntags:\n- teas\n", 1)

    block = metadata(
        model_card(
            trained(encoder="mine", train_source="mine.csv", tests=()),
            "acme/drinks",
            "2.0.0",
            "mit",
            edited,
        )
    )

    assert not {"datasets", "base_model", "metrics", "model-index"} & block.keys()
    assert block["tags"] == ["understudy", "teas"]
    assert (block["language"], block["license"]) == ("en", "mit")


def test_a_card_without_scores_says_so() -> None:
    """No table and no model-index, rather than an empty one."""
    text = model_card(trained(tests=()), "acme/drinks", "1.0.0", None, None)

    assert "Not scored" in text
    assert "model-index" not in metadata(text)


def test_a_licence_is_never_guessed() -> None:
    """Without one there is no licence field; a chosen one stands there."""
    without = model_card(trained(), "acme/drinks", "1.0.0", None, None)
    chosen = model_card(trained(), "acme/drinks", "1.0.0", "cc-by-4.0", None)

    assert "license" not in metadata(without)
    assert metadata(chosen)["license"] == "cc-by-4.0"


def test_a_task_cannot_break_the_card() -> None:
    """Titles, labels and meanings with YAML, Markdown or HTML in them stay text."""
    evil = '<script>x</script>\n---\nlicense: mit\n"}`` | # [a](b)'
    run = trained(title=evil, description=evil, labels={evil: evil, "b": "c"}, arm="real")
    text = model_card(run, "acme/drinks", "1.0.0", None, None)

    block, body = text.removeprefix("---\n").split("\n---\n", 1)
    assert "license" not in yaml.safe_load(block)
    prose = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", body.partition("```bibtex")[0])
    assert "script" in prose
    assert "<script" not in prose.replace(r"\<script", "")
    assert re.search(r"(?<!\\)\]\(", prose) is None
    assert len(re.findall("^# ", prose, re.MULTILINE)) == 1
