"""What a study is asked to do, resolved and checked before any work."""

from dataclasses import asdict, dataclass

from builders.errors import UserError
from builders.llms.base import LLM
from builders.tasks.base import Task
from evaluation.arms import in_order, parse_arm
from trainers.finetuning.settings import FinetuneSettings
from trainers.losses import CHECKER_PER_LABEL
from understudy.arm_groups import GROUPS, strategies_of

DEFAULT_REAL_PER_LABEL = 200
"""Texts a label of the arm `real` in a study without a synthetic arm to match."""

LABELLED, CLASSIFIED = 400, 200
"""Real texts that a live LLM labels and classifies where no number is given."""

MOST_SEEDS = 1000

Value = str | int | float | bool | None


@dataclass(frozen=True)
class StudySettings:
    """The settings that all runs of a study share; a folder holds one study.

    Attributes:
        llm: The `--llm` option.
        per_label: Accepted texts wanted of each label, None for all that the LLM holds.
        texts_per_request: Texts that one request asks for, None for the LLM's default.
        corpus_seed: Draws examples, and the texts where fewer are wanted than were accepted.
        trainer: `probe` or `finetune`.
        encoder: `minilm`, a folder or a repository on the Hub.
        pooling: Of the probe: `mean` or `first`.
        real: The `--real` option, None for `$UNDERSTUDY_DATA`, then the Hub.
        hub: Whether the Hub may be asked for real texts.
        max_test: Test texts at most (stratified), None for all.
        asked: What decides the answers of a live LLM beside its name, None of a recording.
        agreement: Whether a task without real data is scored on the other arm's corpus.
        loss: What is minimised in training.
        checker_per_label: Real texts of each label that a loss's checker is trained on.
        votes: The `--votes` option: sets of texts with votes that runs are scored on, too.
        labelled: Real training texts that a live LLM labels; None for `LABELLED`, and of a
            recording, which has its own.
        classified: Real test texts that a live LLM classifies; None for `CLASSIFIED`, and so on.
        finetuning: How encoders are fine-tuned, None for the usual way.
        pass_size: Of fine-tuning: texts that go through the encoder at once at most, None for all
            of a batch. Each pass draws its own dropout.
        curve_steps: Steps between two points of the training curves, None for no curves.
    """

    llm: str = "recording"
    per_label: int | None = None
    texts_per_request: int | None = None
    corpus_seed: int = 0
    trainer: str = "probe"
    encoder: str = "minilm"
    pooling: str = "mean"
    real: str | None = None
    hub: bool = True
    max_test: int | None = None
    asked: str | None = None
    agreement: bool = False
    loss: str = "cross_entropy"
    checker_per_label: int = CHECKER_PER_LABEL
    votes: str = ""
    labelled: int | None = None
    classified: int | None = None
    finetuning: FinetuneSettings | None = None
    pass_size: int | None = None
    curve_steps: int | None = None

    def as_dict(self) -> dict[str, Value]:
        """Return what decides the results, as JSON holds it; of a fine-tuning in full."""
        values = asdict(self)
        own = values.pop("finetuning") or asdict(FinetuneSettings())
        if self.pass_size is None or self.trainer != "finetune":
            del values["pass_size"]
        values["labelled"] = self.labelled or LABELLED
        values["classified"] = self.classified or CLASSIFIED
        if is_recording(self.llm):
            del values["labelled"], values["classified"]
        return {**values, **own} if self.trainer == "finetune" else values


def is_recording(llm: str) -> bool:
    """Say whether the `--llm` option names a recording, which is never asked anything."""
    return llm.partition(":")[0] == "recording"


@dataclass(frozen=True)
class Grid:
    """The runs that are asked for.

    Attributes:
        tasks: The tasks.
        arms: Their arms and groups of arms.
        seeds: The seeds of every arm.
    """

    tasks: tuple[Task, ...]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies whose corpora the arms need."""
        return strategies_of(self.arms)


def parse_tasks(option: str) -> tuple[Task, ...]:
    """Read `--tasks`: `all`, or names and paths with commas between.

    Raises:
        UserError: A name is unknown, or two tasks have one name.
    """
    from builders.tasks import list_tasks, load_task

    if option == "all":
        return list_tasks()
    tasks = tuple(load_task(name.strip()) for name in option.split(",") if name.strip())
    if not tasks:
        raise UserError("--tasks: names no task; use all, or names with commas between")
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"--tasks: {name!r} stands twice; name each task once")
    return tasks


def parse_arms(option: str) -> tuple[str, ...]:
    """Read `--arms`: `all`, or arms and groups of arms with commas between.

    Returns:
        Groups, then arms in the order of the tables. What a group stands for is known once the
        data is.

    Raises:
        UserError: A name is unknown.
    """
    asked = [name.strip() for name in option.split(",") if name.strip()]
    if not asked:
        raise UserError(f"--arms: names no arm; use all, or {', '.join(GROUPS)}, or arms by name")
    groups = [group for group in GROUPS if group in asked or "all" in asked]
    names = [name for name in asked if name != "all" and name not in GROUPS]
    return (*groups, *in_order(parse_arm(name).name for name in names))


def parse_seeds(option: str) -> tuple[int, ...]:
    """Read `--seeds`: `3` means 0, 1 and 2; `0,4,7` means these; `7,` means 7 alone.

    Raises:
        UserError: It is none of these, or asks for more than `MOST_SEEDS`.
    """
    parts = [part.strip() for part in option.split(",")]
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    numbers = [int(part) if part.isdecimal() and len(part) < 11 else -1 for part in parts]
    if min(numbers) < 0 or max(numbers) >= 2**32 or option.strip() == "0":
        raise UserError(
            f"--seeds {option}: give how many (3) or which (0,4,7), each from 0 to {2**32 - 1}"
        )
    seeds = dict.fromkeys(numbers) if "," in option else range(numbers[0])
    if len(seeds) > MOST_SEEDS:
        raise UserError(f"--seeds {option}: more than {MOST_SEEDS}; give fewer")
    return tuple(seeds)


def check_llm(llm: LLM, grid: Grid, settings: StudySettings) -> None:
    """Refuse quotas that the LLM cannot fill, before any work.

    A task that the LLM has nothing for is no mistake here: it is skipped by name later.
    """
    for task in grid.tasks:
        for strategy in grid.strategies:
            if llm.can_answer(task, strategy):
                llm.quota(task, strategy, settings.per_label, settings.texts_per_request)
