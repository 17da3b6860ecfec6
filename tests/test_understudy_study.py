"""A study: what a run's key hashes, what is done again, what is skipped, how it is widened."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builders.corpus import read_corpus
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.llms import create_llm
from builders.tasks import load_task
from evaluation.records import RunRecord
from evaluation.report import write_report
from trainers.embeddings import Embeddings
from trainers.encoders import EMBEDDED, Encoder, load_encoder
from trainers.heads import HeadSettings
from trainers.probe import Probe
from understudy.gathering import gather
from understudy.materials import Materials
from understudy.measuring import plan_figures
from understudy.planning import PlannedRun, plan_runs, run_key
from understudy.reporting import read_study
from understudy.settings import Grid, StudySettings, parse_tasks
from understudy.study import Study, StudyOutcome
from understudy.writer import Writer

ALL = ("real", "real_full", "zero_shot", "few_shot")
PER_LABEL = 8


def settings_of(world: Path, **changed: object) -> StudySettings:
    """Return the settings of a study on the small world."""
    settings = StudySettings(
        llm=f"recording:{world / 'recording'}", real=str(world / "real"), per_label=PER_LABEL
    )
    return replace(settings, **changed)  # type: ignore[arg-type] # any field


def grid_of(
    world: Path,
    tasks: tuple[str, ...] = ("own",),
    arms: tuple[str, ...] = ALL,
    seeds: tuple[int, ...] = (0, 1),
) -> Grid:
    """Return a grid of tasks of the small world."""
    return Grid(parse_tasks(",".join(str(world / f"{name}.yaml") for name in tasks)), arms, seeds)


def run(
    grid: Grid, settings: StudySettings, out: Path, said: Callable[[str], object] = print
) -> StudyOutcome:
    """Run a study."""
    return Study(grid, settings, out, said).run()


def done(out: Path) -> list[RunRecord]:
    """Return the finished runs of the report of a study."""
    return [record for record in read_study(out).runs if record.status == "done"]


def lines(out: Path) -> list[dict[str, object]]:
    """Return the lines of `runs.jsonl`, without their seconds."""
    rows = [json.loads(line) for line in (out / "runs.jsonl").read_text().splitlines()]
    return [{name: v for name, v in row.items() if name != "seconds"} for row in rows]


@pytest.fixture
def world(little_world: Path, tmp_path: Path) -> Path:
    """Return a copy of the small world that a test may change."""
    return Path(shutil.copytree(little_world, tmp_path / "world"))


@pytest.fixture(scope="module")
def finished(little_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study of one task, four arms, two seeds."""
    out = tmp_path_factory.mktemp("finished") / "out"
    run(grid_of(little_world), settings_of(little_world), out)
    return out


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished study."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


# Keys

ENCODER = Encoder("minilm", Path("none"), "f" * 64)


def probe(encoder: Encoder = ENCODER, settings: HeadSettings | None = None) -> Probe:
    """Return a probe that is never run."""
    return Probe(encoder, Embeddings(encoder), settings)


@pytest.fixture(scope="module")
def materials(little_world: Path) -> Materials:
    """Return the data of the task `own`."""
    settings = settings_of(little_world)
    task = load_task(little_world / "own.yaml")
    return gather(task, ALL, settings, Writer(create_llm(settings.llm)), print)


def keys(materials: Materials, arms: tuple[str, ...] = ALL) -> dict[str, str]:
    """Return each arm's key with seed 0."""
    chosen = replace(materials, arms=arms)
    return {run.arm: run.key for run in plan_runs(chosen, (0,), ENCODER, probe())}


def with_text(texts: LabelledTexts, text: str) -> LabelledTexts:
    """Return the texts with another first one."""
    return replace(texts, texts=(text, *texts.texts[1:]))


def test_a_key_is_the_same_in_every_process(materials: Materials, little_world: Path) -> None:
    """Gathered anew, the same data gives the same keys; no path, time or object is in them."""
    settings = replace(settings_of(little_world), real=f"{little_world}/./real")
    task = load_task(little_world / "own.yaml")

    again = gather(task, ALL, settings, Writer(create_llm(settings.llm)), print)

    assert keys(again) == keys(materials)


def test_arms_tasks_and_seeds_have_keys_of_their_own(materials: Materials) -> None:
    """Every (task, arm, seed) is another run."""
    other = replace(materials, task=replace(materials.task, name="renamed"))
    planned = [
        *plan_runs(materials, (0, 1, 2), ENCODER, probe()),
        *plan_runs(other, (0, 1, 2), ENCODER, probe()),
    ]

    assert len({run.key for run in planned}) == len(planned) == 24


def test_the_corpus_is_in_the_key_of_its_arm_alone(materials: Materials) -> None:
    """Another text in the few-shot corpus is another few-shot run; the other arms stay."""
    few = materials.compositions["few_shot"]
    changed = replace(few, kept=(replace(few.kept[0], text="Other words."), *few.kept[1:]))
    before = keys(materials)

    after = keys(replace(materials, compositions={**materials.compositions, "few_shot": changed}))

    assert after["few_shot"] != before["few_shot"]
    assert {arm: key for arm, key in after.items() if arm != "few_shot"} == {
        arm: key for arm, key in before.items() if arm != "few_shot"
    }


def test_real_test_texts_are_in_every_key(materials: Materials) -> None:
    """Scores on other test texts are other scores, for each arm."""
    assert materials.test is not None
    before = keys(materials)

    after = keys(replace(materials, test=with_text(materials.test, "Another test text.")))

    assert not set(after.values()) & set(before.values())


def test_real_training_texts_are_in_the_keys_of_the_real_arms(materials: Materials) -> None:
    """A changed training text concerns the arms that train on real text."""
    assert materials.real is not None
    before = keys(materials)
    train = materials.real.train
    changed = replace(train, texts=tuple(f"{text} So." for text in train.texts))

    after = keys(replace(materials, real=replace(materials.real, train=changed)))

    assert {arm for arm in ALL if after[arm] != before[arm]} == {"real", "real_full"}


def test_a_changed_label_changes_the_key(materials: Materials) -> None:
    """The labels are content too."""
    assert materials.test is not None
    flipped = replace(materials.test, labels=tuple(1 - label for label in materials.test.labels))

    assert keys(replace(materials, test=flipped))["real"] != keys(materials)["real"]


def test_the_size_is_in_the_keys_of_the_arms_of_equal_size(materials: Materials) -> None:
    """Fewer texts a label are other runs of every arm but `real_full`."""
    before = keys(materials)

    after = keys(replace(materials, n_per_label=dict.fromkeys(materials.n_per_label, 5)))

    assert {arm for arm in ALL if after[arm] != before[arm]} == {"real", "zero_shot", "few_shot"}


def key_of(encoder: Encoder = ENCODER, trainer: Probe | None = None, **decides: object) -> str:
    """Return the key of a run on some texts."""
    planned = {"arm": "real", "seed": 0, "train": "a", "test": "b", **decides}
    return run_key("own", planned, encoder, trainer or probe())


def test_the_weights_are_in_the_key_and_the_encoders_name_is_not() -> None:
    """One encoder under two names is one encoder; other weights under one name are two."""
    renamed = replace(ENCODER, name="folder/elsewhere", path=Path("other"))

    assert key_of(renamed) == key_of()
    assert key_of(replace(ENCODER, fingerprint="0" * 64)) != key_of()


def test_the_trainers_settings_are_in_the_key() -> None:
    """Every setting of the head, and the pooling."""
    plain = HeadSettings()
    changed = [replace(plain, **{name: value * 2}) for name, value in vars(plain).items() if value]

    all_keys = {key_of(), *(key_of(trainer=probe(settings=own)) for own in changed)}

    assert len(all_keys) == 1 + len(changed)
    assert key_of(trainer=probe(settings=plain)) == key_of()


def test_the_trainers_name_is_in_the_key() -> None:
    """A fine-tuning with the same settings is not a probe."""
    other = probe()
    other.__class__ = type("Other", (Probe,), {"name": "other"})

    assert key_of(trainer=other) != key_of()


# What an arm is


def planned(materials: Materials, arm: str, seed: int = 0) -> PlannedRun:
    """Return one planned run."""
    (found,) = plan_runs(replace(materials, arms=(arm,)), [seed], ENCODER, probe())
    return found


def test_arms_are_compared_at_equal_size(materials: Materials) -> None:
    """`real` has as many texts of each label as the synthetic arms, `real_full` has all."""
    sizes = {arm: planned(materials, arm).train.counts() for arm in ALL}

    assert sizes.pop("real_full") == {"tea/coffee": 20, "long walk": 20}
    assert all(size == {"tea/coffee": 8, "long walk": 8} for size in sizes.values())


def test_without_a_number_the_smallest_corpus_decides(little_world: Path) -> None:
    """Of 16 and 12 recorded texts a label 12 are left for each arm."""
    settings = replace(settings_of(little_world), per_label=None)
    task = load_task(little_world / "own.yaml")

    found = gather(task, ALL, settings, Writer(create_llm(settings.llm)), print)

    assert found.n_per_label == {"tea/coffee": 12, "long walk": 12}
    assert planned(found, "zero_shot").train.counts() == found.n_per_label


def test_few_real_texts_cut_every_arm_and_this_is_said(world: Path) -> None:
    """With 3 real texts of a label each arm has 3 of it: a gap is one at equal size."""
    path = world / "real" / "own.train.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    first = [row for row in rows if row[1] == "tea/coffee"][:3]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([rows[0], *first, *(r for r in rows if r[1] == "long walk")])
    said: list[str] = []
    settings = settings_of(world)

    found = gather(
        load_task(world / "own.yaml"), ALL, settings, Writer(create_llm(settings.llm)), said.append
    )

    sizes = [planned(found, arm).train.counts() for arm in ("real", "zero_shot", "few_shot")]
    assert sizes == [{"tea/coffee": 3, "long walk": 8}] * 3
    assert said == [
        "own 'tea/coffee': only 3 real training texts, so that each arm has 3 and not 8"
    ]


def test_a_seed_draws_the_real_subset(materials: Materials) -> None:
    """Two seeds train on two draws of the real texts, one seed always on the same."""
    first, again, other = (planned(materials, "real", seed).train for seed in (0, 0, 1))

    assert first == again
    assert set(first.texts) != set(other.texts)


def test_runs_are_scored_on_the_real_test_texts(materials: Materials) -> None:
    """Every arm is scored on the same real texts."""
    runs = [planned(materials, arm) for arm in ALL]

    assert {run.evaluated_on for run in runs} == {"real"}
    assert {run.test.content_hash for run in runs} == {materials.test.content_hash}  # type: ignore[union-attr] # there is real data


def test_a_test_may_be_capped(little_world: Path) -> None:
    """`max_test` keeps the shares of the labels: of 12 and 12 texts 5 and 5."""
    settings = settings_of(little_world, max_test=10)
    task = load_task(little_world / "own.yaml")

    found = gather(task, ALL, settings, Writer(create_llm(settings.llm)), print)

    assert found.test is not None
    assert found.test.counts() == {"tea/coffee": 5, "long walk": 5}
    assert found.facts().n_real_test == 10


def without_real(little_world: Path, tmp_path: Path, *, agreement: bool) -> Materials:
    """Gather a task where a folder has real texts of none of its tasks."""
    (tmp_path / "empty").mkdir()
    settings = settings_of(little_world, real=str(tmp_path / "empty"), agreement=agreement)
    task = load_task(little_world / "own.yaml")
    return gather(task, ALL, settings, Writer(create_llm(settings.llm)), print)


def test_without_real_texts_nothing_is_scored(little_world: Path, tmp_path: Path) -> None:
    """No arm has anything to be tested on, and each says why."""
    found = without_real(little_world, tmp_path, agreement=False)

    assert list(found.absent) == list(ALL)
    assert all("no data for own" in why for why in found.absent.values())
    assert found.absent["zero_shot"].startswith("nothing to test on: ")


def test_agreement_tests_each_corpus_on_the_other(little_world: Path, tmp_path: Path) -> None:
    """Asked for agreement, an arm is scored on the other strategy's texts, never as `real`."""
    found = without_real(little_world, tmp_path, agreement=True)

    assert list(found.absent) == ["real", "real_full"]
    zero, few = planned(found, "zero_shot"), planned(found, "few_shot")
    assert (zero.evaluated_on, few.evaluated_on) == ("few_shot", "zero_shot")
    assert zero.test.content_hash == found.corpora["few_shot"].content_hash
    assert found.facts().evaluated_on == "corpora"


def test_agreement_tests_on_no_text_that_was_trained_on(little_world: Path, tmp_path: Path) -> None:
    """A text that both corpora hold is taken out of the test, case and punctuation ignored."""
    found = without_real(little_world, tmp_path, agreement=True)
    zero, few = found.compositions["zero_shot"], found.compositions["few_shot"]
    shared = replace(few.kept[0], text=zero.kept[0].text.upper())
    both = {"zero_shot": zero, "few_shot": replace(few, kept=(shared, *few.kept[1:]))}

    test = planned(replace(found, compositions=both), "zero_shot").test

    assert len(test) == len(few.kept) - 1
    assert shared.text not in test.texts


def test_figures_need_enough_texts(materials: Materials) -> None:
    """Of 2 + 2 texts the mean of the 5 nearest is not defined, the diversity is."""
    one = replace(materials, arms=("zero_shot",))
    small = replace(one, n_per_label=dict.fromkeys(materials.n_per_label, 2))
    embeddings = Embeddings(ENCODER)

    figures = plan_figures(small, embeddings)

    assert "closeness" not in {figure.kind for figure in figures}
    assert "diversity" in {figure.kind for figure in figures}
    assert "closeness" in {figure.kind for figure in plan_figures(one, embeddings)}


def test_figures_need_texts_that_are_long_enough(world: Path, tmp_path: Path) -> None:
    """Real texts of a sign each have no pair of tokens and no word: the other figures are there."""
    signs = map(chr, range(0x1F600, 0x1F700))
    for path in (world / "real").glob("own.*.csv"):
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["text", "label"])
            writer.writeheader()
            writer.writerows({**row, "text": next(signs)} for row in rows)

    run(grid_of(world, arms=("real", "few_shot"), seeds=(0,)), settings_of(world), tmp_path / "out")

    study = read_study(tmp_path / "out")
    found = {(each.arm, each.measure) for each in study.measures}
    wording = {"self_bleu", "distinct_1", "distinct_2", "distinct_3"}
    assert {name for arm, name in found if arm == "real"} & wording == {"self_bleu", "distinct_1"}
    assert {name for arm, name in found if arm == "few_shot"} >= {*wording, "length"}
    assert not {name for _, name in found} & {"vocabulary", "vocabulary_same_source"}
    page = write_report(study, tmp_path / "out").markdown.read_text(encoding="utf-8")
    assert "Words used more or less are undefined: no real text has a word." in page
    assert "not defined of texts that are so few, so short or without words" in page


def test_real_full_has_no_figures(materials: Materials) -> None:
    """Chamfer shrinks as texts are added: an arm of another size is not compared."""
    figures = plan_figures(materials, Embeddings(ENCODER))

    assert {figure.arm for figure in figures} == {"real", "zero_shot", "few_shot"}


# A whole study


def test_a_study_does_every_run(finished: Path) -> None:
    """One task, four arms, two seeds: eight runs, each with scores and predictions."""
    records = done(finished)

    assert [(r.arm, r.seed) for r in records] == [(arm, seed) for arm in ALL for seed in (0, 1)]
    for record in records:
        assert record.macro_f1 is not None
        with np.load(finished / record.predictions) as stored:
            right = stored["labels"] == stored["predictions"]
        assert record.accuracy == pytest.approx(right.mean())
        assert record.n_test == len(right) == 24


def test_a_line_says_what_the_run_was(finished: Path) -> None:
    """Each line has task, arm, encoder, trainer, seed, sizes, scores, seconds and versions."""
    row = json.loads((finished / "runs.jsonl").read_text().splitlines()[0])

    assert row["n_train"] == 16
    assert row["n_per_label"] == {"tea/coffee": 8, "long walk": 8}
    assert row["seconds"] > 0
    assert {"python", "torch", "transformers", "understudy"} <= set(row["versions"])
    assert (row["task"], row["arm"], row["encoder"], row["trainer"], row["seed"]) == (
        "own",
        "real",
        "minilm",
        "probe",
        0,
    )


def test_a_study_keeps_its_corpora(finished: Path, materials: Materials) -> None:
    """The corpora that were trained on lie in the study, text by text."""
    names = materials.task.label_names

    stored = read_corpus(finished / "corpora" / "own", "few_shot", names)

    assert stored.content_hash == materials.corpora["few_shot"].content_hash
    assert [record.path for record in read_study(finished).corpora] == ["corpora/own"] * 2


def test_a_study_measures_each_arm_of_equal_size(finished: Path) -> None:
    """Three arms, eleven figures each, at 16 texts; coverage needs more."""
    measures = read_study(finished).measures

    assert len(measures) == 3 * 11
    assert {measure.n for measure in measures} == {16}
    assert "coverage" not in {measure.measure for measure in measures}


def test_a_finished_study_is_not_done_again(out: Path, little_world: Path) -> None:
    """The same call finds eight runs, does none, embeds nothing and writes no line."""
    before = {p: p.read_bytes() for p in out.iterdir() if p.suffix in (".jsonl", ".json")}

    outcome = run(grid_of(little_world), settings_of(little_world), out)

    assert (outcome.done, outcome.known, outcome.encoded) == (0, 8, 0)
    assert {path: path.read_bytes() for path in before} == before


def test_a_study_is_the_same_wherever_it_is_done(
    finished: Path, little_world: Path, tmp_path: Path
) -> None:
    """Two folders, the same lines: only the seconds differ."""
    grid = grid_of(little_world, arms=("real",), seeds=(1,))

    run(grid, settings_of(little_world), tmp_path / "second")

    (line,) = lines(tmp_path / "second")
    assert line in lines(finished)


def test_a_run_that_is_missing_is_done_again_alone(
    out: Path, finished: Path, little_world: Path
) -> None:
    """One line less is one run more, with the same result."""
    rows = (out / "runs.jsonl").read_text().splitlines(keepends=True)
    (out / "runs.jsonl").write_text("".join(rows[:3] + rows[4:]) + '{"key": "torn')

    outcome = run(grid_of(little_world), settings_of(little_world), out)

    assert (outcome.done, outcome.known) == (1, 7)
    assert sorted(map(str, lines(out))) == sorted(map(str, lines(finished)))


def test_each_text_is_embedded_once_in_a_study(
    little_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All arms and seeds share their vectors: as many encodings as there are distinct texts."""
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    grid = grid_of(little_world, arms=("real", "real_full", "few_shot"))

    outcome = run(grid, settings_of(little_world), tmp_path / "out")

    # 40 real training texts (those of `real` are among them), 24 test texts, 16 of the corpus.
    assert outcome.done == 6
    assert outcome.encoded == 40 + 24 + 16


# Widening, and data that changes


def test_a_seed_more_is_two_runs_more_for_two_arms(little_world: Path, tmp_path: Path) -> None:
    """Runs that are there stay; a call with fewer seeds or arms later loses none."""
    settings, out = settings_of(little_world), tmp_path / "out"
    run(grid_of(little_world, arms=("real", "zero_shot"), seeds=(0,)), settings, out)

    outcome = run(grid_of(little_world, arms=("real", "zero_shot"), seeds=(0, 5)), settings, out)
    assert (outcome.done, outcome.known) == (2, 2)

    outcome = run(grid_of(little_world, arms=("real",), seeds=(0,)), settings, out)
    assert (outcome.done, outcome.known) == (0, 4)
    assert len(done(out)) == 4


def test_an_arm_that_is_smaller_makes_all_arms_smaller(little_world: Path, tmp_path: Path) -> None:
    """A later arm with 12 texts a label: the report shows every arm at 12, none at 16."""
    settings, out = settings_of(little_world, per_label=None), tmp_path / "out"
    run(grid_of(little_world, arms=("real", "zero_shot"), seeds=(0,)), settings, out)
    assert [record.n_train for record in done(out)] == [32, 32]

    run(grid_of(little_world, arms=("few_shot",), seeds=(0,)), settings, out)

    assert [(r.arm, r.n_train) for r in done(out)] == [
        ("real", 24),
        ("zero_shot", 24),
        ("few_shot", 24),
    ]
    assert {measure.n for measure in read_study(out).measures} == {24}


def test_a_task_more_leaves_the_others(out: Path, little_world: Path) -> None:
    """A second task joins; the first one's runs are neither done again nor lost."""
    grid = grid_of(little_world, tasks=("other",), arms=("real", "zero_shot"), seeds=(0,))

    outcome = run(grid, settings_of(little_world), out)

    assert (outcome.done, outcome.known) == (2, 0)
    assert {(r.task) for r in done(out)} == {"own", "other"}
    assert len(done(out)) == 10
    assert len(read_study(out).measures) == (3 + 2) * 11


def test_changed_real_texts_are_done_again_and_only_these_are_reported(
    world: Path, tmp_path: Path
) -> None:
    """A test text more: every run is a new one; the old lines stay, and no report shows them."""
    grid, settings = grid_of(world, arms=("real", "zero_shot"), seeds=(0,)), settings_of(world)
    out = tmp_path / "out"
    run(grid, settings, out)
    before = {record.key for record in done(out)}
    with (world / "real" / "own.test.csv").open("a", newline="") as file:
        csv.writer(file).writerow(["Someone hid a mug behind the very last boat.", "tea/coffee"])

    outcome = run(grid, settings, out)

    assert (outcome.done, outcome.known) == (2, 0)
    records = done(out)
    assert len(records) == 2
    assert not {record.key for record in records} & before
    assert {record.n_test for record in records} == {25}
    assert len(lines(out)) == 4


def test_other_settings_are_refused_and_nothing_changes(out: Path, little_world: Path) -> None:
    """A folder holds one study: another `--per-label` needs a folder of its own."""
    before = sorted((p, p.read_bytes()) for p in out.rglob("*") if p.is_file())

    with pytest.raises(UserError, match="per-label is 8 there and 5 here"):
        run(grid_of(little_world), settings_of(little_world, per_label=5), out)

    assert sorted((p, p.read_bytes()) for p in out.rglob("*") if p.is_file()) == before


# What is not at hand


def test_what_is_not_at_hand_is_skipped_by_name(little_world: Path, tmp_path: Path) -> None:
    """The recording has no few-shot texts of `other`: said, written, reported; the rest runs."""
    said: list[str] = []
    grid = grid_of(little_world, tasks=("own", "other"), arms=("few_shot",))

    outcome = run(grid, settings_of(little_world), tmp_path / "out", said.append)

    assert list(outcome.skipped) == [("other", "few_shot")]
    assert said == [
        "skipped: other few_shot: a recording (recording) has no answers for it",
    ]
    records = read_study(tmp_path / "out")
    skipped = [record for record in records.runs if record.status == "skipped"]
    assert [(r.task, r.arm, r.seed) for r in skipped] == [
        ("other", "few_shot", 0),
        ("other", "few_shot", 1),
    ]
    assert {record.reason for record in skipped} == {
        "a recording (recording) has no answers for it"
    }
    assert len(records.runs) - len(skipped) == 2
    assert records.missing == ()


def test_a_skipped_run_is_written_down_once(little_world: Path, tmp_path: Path) -> None:
    """The second call finds it; a reason that changed is written anew."""
    grid = grid_of(little_world, tasks=("other",), arms=("zero_shot", "few_shot"), seeds=(0,))
    out = tmp_path / "out"
    run(grid, settings_of(little_world), out)
    run(grid, settings_of(little_world), out)
    assert [row["status"] for row in lines(out)] == ["skipped", "done"]

    text = (out / "runs.jsonl").read_text()
    (out / "runs.jsonl").write_text(text.replace("has no answers for it", "was away"))
    run(grid, settings_of(little_world), out)

    assert [row["status"] for row in lines(out)] == ["skipped", "done", "skipped"]
    assert {r.reason for r in read_study(out).runs if r.status == "skipped"} == {
        "a recording (recording) has no answers for it"
    }


def test_a_skipped_run_is_done_once_its_data_is_there(world: Path, tmp_path: Path) -> None:
    """An answer file that arrives later is used; the report no longer names the arm as skipped."""
    grid = grid_of(world, tasks=("other",), arms=("real", "few_shot"), seeds=(0,))
    out, source = tmp_path / "out", world / "recording" / "few_shot"
    run(grid, settings_of(world), out)
    answers = (source / "own.responses.jsonl").read_text().replace('"own/', '"other/')
    (source / "other.responses.jsonl").write_text(answers)

    run(grid, settings_of(world), out)

    assert {record.status for record in read_study(out).runs} == {"done"}


def test_a_study_without_any_data_is_refused_and_writes_nothing(
    little_world: Path, tmp_path: Path
) -> None:
    """Where nothing can run the reason is the error, and no folder is left."""
    (tmp_path / "empty").mkdir()
    settings = settings_of(little_world, real=str(tmp_path / "empty"))

    with pytest.raises(UserError, match=r"nothing to run: .*no data for own"):
        run(grid_of(little_world), settings, tmp_path / "deep" / "out")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_a_finished_study_survives_a_call_without_data(
    out: Path, little_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Called again where its data is out of reach, it is refused; the report is as it was."""
    plan = json.loads((out / "study.json").read_text())
    plan["settings"] |= {"real": None, "hub": False}
    (out / "study.json").write_text(json.dumps(plan))
    before = sorted((p, p.read_bytes()) for p in out.rglob("*") if p.is_file())
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)

    with pytest.raises(UserError, match="nothing to run"):
        run(grid_of(little_world), settings_of(little_world, real=None, hub=False), out)

    assert sorted((p, p.read_bytes()) for p in out.rglob("*") if p.is_file()) == before


def test_a_task_keeps_its_runs_where_only_its_real_texts_are_away(
    world: Path, tmp_path: Path
) -> None:
    """The other task is worked on; this one stays in the report, and a line says so."""
    grid = grid_of(world, ("own", "other"), arms=("real", "zero_shot"), seeds=(0,))
    out, said = tmp_path / "out", list[str]()
    run(grid, settings_of(world), out)
    before = {record.key for record in done(out)}
    for path in (world / "real").glob("other.*.csv"):
        path.unlink()

    outcome = run(replace(grid, seeds=(0, 1)), settings_of(world), out, said.append)

    assert "kept: other: 2 finished runs as they are" in said
    assert outcome.done == 2
    assert before < {record.key for record in done(out)}
    assert len(read_study(out).measures) == 2 * 2 * 11


def test_wrong_data_of_a_later_task_leaves_nothing(world: Path, tmp_path: Path) -> None:
    """All data is read before anything is written: the same folder may be used afterwards."""
    path = world / "real" / "other.test.csv"
    right = path.read_text()
    path.write_text(right.replace("long walk", "long talk", 1))
    grid = grid_of(world, tasks=("own", "other"), arms=("zero_shot",), seeds=(0,))

    with pytest.raises(UserError, match="'long talk'"):
        run(grid, settings_of(world), tmp_path / "out")

    assert not (tmp_path / "out").exists()
    path.write_text(right)
    assert run(grid, settings_of(world), tmp_path / "out").done == 2


def test_a_corpus_without_any_text_of_a_label_is_refused(world: Path, tmp_path: Path) -> None:
    """Filters that leave nothing of a label are the error, with the command that says why."""
    path = world / "recording" / "zero_shot" / "own.responses.jsonl"
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    first["response"]["body"]["choices"][0]["message"]["content"] = '{"texts": ["Too short."]}'
    path.write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n")

    with pytest.raises(UserError, match="own zero_shot: the filters kept no text of 'tea/coffee'"):
        run(grid_of(world), settings_of(world, per_label=None), tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_one_text_a_label_is_enough(little_world: Path, tmp_path: Path) -> None:
    """The smallest study runs, without the figures that need more texts."""
    out = tmp_path / "out"

    grid = grid_of(little_world, arms=("real", "zero_shot"), seeds=(0,))

    run(grid, settings_of(little_world, per_label=1), out)

    assert [record.n_train for record in done(out)] == [2, 2]
    measures = {m.measure for m in read_study(out).measures}
    assert {"remote_clique", "chamfer", "self_bleu", "length"} <= measures
    assert measures.isdisjoint({"top5_cosine", "coverage", "frontier"})


@pytest.mark.slow
def test_a_study_of_another_encoder_measures_with_the_embedded_one(
    little_world: Path, tmp_path: Path
) -> None:
    """Diversity stays comparable: an encoder under test changes the scores, not the figures."""
    copy = Path(shutil.copytree(load_encoder(EMBEDDED).path, tmp_path / "copy"))
    (copy / "sentence_bert_config.json").write_text('{"max_seq_length": 4}')
    settings = settings_of(little_world, encoder=str(copy))
    out = tmp_path / "out"

    outcome = run(grid_of(little_world, arms=("zero_shot",), seeds=(0,)), settings, out)

    assert outcome.done == 1
    measures = read_study(out).measures
    assert {m.encoder for m in measures if m.measure == "remote_clique"} == {EMBEDDED}
    assert {m.encoder for m in measures if m.measure == "self_bleu"} == {""}
    assert {record.encoder for record in done(out)} == {str(copy)}
