"""The texts of a run: where they come from, what is held out, how much each counts."""

import csv
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hub_server import running_hub
from training_world import LABELS, World, make_world

from builders.corpus import read_corpus
from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.normalisation import comparison_key
from builders.tasks import Task, load_task
from trainers.finetuning.held_out import hold_out
from trainers.finetuning.recipe import Recipe
from trainers.finetuning.texts import RunTexts, gather_texts, refuse_gaps


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a world."""
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def task(world: World) -> Task:
    """Return the task."""
    return load_task(world.task)


def gathered(world: World, *train: str, said: list[str] | None = None, **changed: Any) -> RunTexts:
    """Return the texts of a recipe on the world's corpus and real texts."""
    given = {"corpus": str(world.corpus), "config": "zero_shot", "real": str(world.real)}
    recipe = Recipe(task=str(world.task), train=list(train), **{**given, **changed})
    told = (lambda line: None) if said is None else said.append
    return gather_texts(load_task(world.task), recipe, 0, told)


def test_the_corpus_is_taken_as_it_is(world: World) -> None:
    """24 texts of each label with the record of its build; every text counts alike."""
    texts = gathered(world, "synthetic")

    assert texts.train.counts() == {"drinks": 24, "walks": 24}
    assert texts.arm == "zero_shot"
    assert texts.corpus is not None
    assert texts.corpus.kept == texts.train.counts()
    assert texts.weights.tolist() == [1.0] * 48


def test_weights_are_1_on_average(world: World) -> None:
    """48 texts of weight 1 and 20 of weight 3 are 108 in all: 48 of 68/108 and 20 of 204/108."""
    texts = gathered(world, "synthetic", "real:10-per-label:3")

    assert texts.arm == "zero_shot+real"
    assert texts.weights[:48].tolist() == pytest.approx([68 / 108] * 48)
    assert texts.weights[48:].tolist() == pytest.approx([204 / 108] * 20)


def test_heavy_weights_are_1_on_average(world: World) -> None:
    """As far as weights may be: 48 texts of weight 1e6, and 20 of 1e-6, which count for nothing."""
    texts = gathered(world, "synthetic:1e6", "real:10-per-label:1e-6")

    assert texts.weights.dtype == "float32"
    assert texts.weights[:48].tolist() == pytest.approx([68 / 48] * 48)
    assert (texts.weights[48:] > 0).all()


def test_real_texts_are_drawn_by_the_seed(world: World) -> None:
    """All of them are the arm `real_full`; a shortfall is said."""
    said: list[str] = []
    assert gathered(world, "real").arm == "real_full"

    texts = gathered(world, "real:40-per-label", said=said)

    assert texts.arm == "real"
    assert texts.train.counts() == {"drinks": 30, "walks": 30}
    assert said == [f"real: 30 texts of {label!r}, not the 40 asked for" for label in LABELS]


def test_a_share_is_held_out_of_every_label(world: World) -> None:
    """A quarter of 48 texts is 6 of each label; no text is on both sides."""
    texts = gathered(world, "synthetic", validation="0.25")
    assert texts.validation is not None

    assert texts.validation.counts() == {"drinks": 6, "walks": 6}
    assert texts.train.counts() == {"drinks": 18, "walks": 18}
    assert not set(texts.validation.texts) & set(texts.train.texts)


def test_what_equals_a_held_out_text_is_left_out() -> None:
    """Case and punctuation ignored; how many is said."""
    words = ("Mug!", "mug", "MUG", "kettle", "trail", "boots", "ridge", "path")
    texts = LabelledTexts(words, (0,) * 4 + (1,) * 4, tuple(LABELS), tuple("abcdefgh"))
    said: list[str] = []

    held, kept = hold_out(texts, 0.5, said.append)

    keys = {comparison_key(text) for text in held.texts}
    assert not keys & {comparison_key(texts.texts[i]) for i in kept}
    assert len(held) == 4
    assert said == [f"{4 - len(kept)} training texts left out: the validation texts hold them too"]


def test_real_validation_is_not_trained_on(world: World) -> None:
    """5 of each label out of the 25 that are left when 5 are trained on."""
    texts = gathered(world, "synthetic", "real:5-per-label", validation="real:5-per-label")
    assert texts.validation is not None

    assert texts.validation.counts() == {"drinks": 5, "walks": 5}
    assert not set(texts.validation.texts) & set(texts.train.texts)


def test_fewer_texts_to_watch_on_than_asked_for_are_said(world: World) -> None:
    """All 30 real training texts of each label are watched on, where 40 were asked for."""
    said: list[str] = []
    texts = gathered(world, "synthetic", validation="real:40-per-label", said=said)
    assert texts.validation is not None

    assert len(texts.validation) == 60
    assert said == [
        f"--validation real: 30 texts of {label!r}, not the 40 asked for" for label in LABELS
    ]


def test_the_checker_has_not_seen_what_training_is_watched_on(world: World) -> None:
    """5 of 30 real texts of each label are watched on, and the checker is given the other 25."""
    recipe = Recipe(
        task=str(world.task),
        train=["synthetic"],
        corpus=str(world.corpus),
        config="zero_shot",
        real=str(world.real),
        validation="real:5-per-label",
        checker_per_label=50,
    )
    texts = gather_texts(load_task(world.task), recipe, 0, lambda line: None, checker=True)
    assert texts.validation is not None
    assert texts.checker is not None

    assert texts.validation.counts() == {"drinks": 5, "walks": 5}
    assert texts.checker.counts() == {"drinks": 25, "walks": 25}
    assert not set(texts.validation.texts) & set(texts.checker.texts)


def test_synthetic_copies_of_test_texts_are_not_trained_on(world: World, tmp_path: Path) -> None:
    """The corpus was built where no real texts were at hand, and two of its texts are tested on."""
    shutil.copytree(world.real, tmp_path / "real")
    repeated = read_corpus(world.corpus, "zero_shot", tuple(LABELS)).texts[:2]
    with (tmp_path / "real" / "outings.test.csv").open("a", newline="") as file:
        csv.writer(file).writerows([text.upper() + "!", "drinks"] for text in repeated)
    said: list[str] = []

    texts = gathered(world, "synthetic", said=said, real=str(tmp_path / "real"))

    assert not set(repeated) & set(texts.train.texts)
    assert len(texts.train) == 46
    assert said == ["synthetic: 2 texts left out: copies of real test texts"]


@pytest.mark.parametrize(
    ("train", "changed", "said"),
    [
        (
            "synthetic",
            {"corpus": "nowhere"},
            "--corpus nowhere: no such folder; name one, or OWNER",
        ),
        ("synthetic", {"corpus": "acme/none"}, "say which release with --revision"),
        ("synthetic", {"config": "many_shot"}, "it has zero_shot, few_shot"),
        ("synthetic", {"revision": "v1.0.0"}, "is of the Hub"),
        ("synthetic", {"validation": "0.02"}, "its 1 texts have none of"),
        ("real", {"validation": "real"}, "have none of 'drinks'; hold out more, or train on fewer"),
    ],
)
def test_what_does_not_fit_is_refused(
    world: World, train: str, changed: dict[str, Any], said: str
) -> None:
    """In one line that says what to give."""
    with pytest.raises(UserError, match=said) as refused:
        gathered(world, train, **changed)
    assert "\n" not in str(refused.value)


def test_a_corpus_of_several_configurations_needs_one_named(world: World, task: Task) -> None:
    """And one that is none at all is refused."""
    recipe = Recipe(train=["synthetic"], corpus=str(world.corpus), real=str(world.real))
    with pytest.raises(UserError, match="has zero_shot, few_shot; choose one with --config"):
        gather_texts(task, recipe, 0, print)
    with pytest.raises(UserError, match="is no corpus"):
        gather_texts(task, replace(recipe, corpus=str(world.real)), 0, print)


def test_a_corpus_with_other_labels_is_refused(world: World, task: Task) -> None:
    """Or of another task; both sides are named."""
    recipe = Recipe(train=["synthetic"], corpus=str(world.corpus), config="few_shot")
    labels = {"drinks": "about drinks", "hikes": "about hikes"}
    real = world.folder / "none"
    with pytest.raises(UserError, match=r"labels are drinks, walks, the task's are drinks, hikes"):
        gather_texts(replace(task, labels=labels), recipe, 0, lambda line: None)
    with pytest.raises(UserError, match="is of task 'outings', and 'plants' is to be trained"):
        gather_texts(replace(task, name="plants"), recipe, 0, lambda line: None)
    assert not real.exists()


def test_real_texts_that_are_needed_have_to_be_at_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To train on them, to validate on them; a folder without any for the task says so."""
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    empty = str(world.folder / "encoder")
    for train, validation in (("real", "none"), ("synthetic", "real")):
        with pytest.raises(NotAtHand, match="no data for outings"):
            gathered(world, train, validation=validation, real=empty)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ((0, 1, 0), "no training text has the label 'c'; every label of the task needs some"),
        ((1, 1, 1), "all 3 training texts have the label 'b', so there is nothing to tell apart"),
    ],
)
def test_a_label_without_texts_is_refused(labels: tuple[int, ...], said: str) -> None:
    """One of them, or all but one."""
    texts = LabelledTexts(("x", "y", "z"), labels, ("a", "b", "c"), ("1", "2", "3"))
    with pytest.raises(UserError, match=said):
        refuse_gaps(texts, "training")


HUB = """
import sys
from trainers.finetuning.corpora import load_corpus
from builders.errors import UserError
from builders.tasks import load_task
for revision in sys.argv[2:]:
    try:
        found = load_corpus(load_task(sys.argv[1]), "acme/outings", "few_shot", revision)
        print(revision, len(found.texts), found.record.strategy, found.source)
    except UserError as error:
        print(error)
"""


@pytest.mark.slow
def test_a_release_on_the_hub_is_a_corpus(world: World, tmp_path: Path) -> None:
    """By tag or branch, and it is said at which commit; a tag that is not there is refused."""
    with running_hub(tmp_path / "hub") as hub:
        pushed = hub.run(["-m", "understudy", "push", "dataset", str(world.corpus), "acme/outings"])
        assert pushed.code == 0, pushed.err
        done = hub.run(["-c", HUB, str(world.task), "v1.0.0", "main", "v2.0.0"])

    assert done.code == 0, done.err
    tagged, moving, missing = done.out.splitlines()
    assert re.fullmatch(r"v1\.0\.0 24 few_shot acme/outings@[0-9a-f]{40}", tagged)
    assert moving.split()[1:] == tagged.split()[1:]
    assert missing.startswith(
        "--corpus acme/outings: no such folder, and the Hub does not give v2.0.0"
    )
