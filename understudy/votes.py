"""Texts that annotators voted on: on these, too, the classifiers of a study are scored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.tasks.base import Task
from evaluation.records import VotedFacts
from evaluation.subjectivity.vote_source import AgreementBins, VoteSource
from evaluation.subjectivity.votes import RatedTexts


@dataclass(frozen=True)
class VotedSet:
    """Texts with votes, and where they came from.

    Attributes:
        source: How the file was read.
        rated: The texts, without those that classifiers are trained on.
    """

    source: VoteSource
    rated: RatedTexts

    def facts(self, task: str) -> VotedFacts:
        """Return what a report says of it."""
        binned = isinstance(self.source.votes, AgreementBins)
        return VotedFacts(
            name=self.source.name,
            n=len(self.rated.texts),
            note=self.source.note,
            left_out=dict(self.rated.left_out),
            binned=binned,
            path=f"votes/{task}.{self.source.name}.npz",
        )


def parse_votes(option: str) -> tuple[VoteSource, ...]:
    """Read `--votes`: names and paths of descriptions with commas between.

    Raises:
        UserError: There is no such description, it is wrong, or one stands twice.
    """
    from evaluation.subjectivity.vote_source import load_vote_source

    names = [name.strip() for name in option.split(",") if name.strip()]
    sources = tuple(load_vote_source(name) for name in names)
    stems = [source.name for source in sources]
    for stem in stems:
        if stems.count(stem) > 1:
            raise UserError(f"--votes: {stem!r} stands twice; name each description once")
    return sources


def check_votes(sources: Sequence[VoteSource], tasks: Sequence[Task]) -> None:
    """Refuse votes on a task that is not among those of the study.

    Raises:
        UserError: There is one.
    """
    names = {task.name for task in tasks}
    for source in sources:
        if _task_of(source) not in names:
            raise UserError(
                f"--votes {source.name}: its votes are on {_task_of(source)}, which is not among "
                "--tasks; add the task, or leave the votes out"
            )


def read_voted(
    sources: Sequence[VoteSource], task: Task, known: Iterable[LabelledTexts]
) -> Mapping[str, VotedSet]:
    """Return the texts with votes that belong to a task, by the name of their description.

    Args:
        sources: Descriptions of votes on texts of any task.
        task: The task.
        known: Training texts; those among them are left out, and counted.

    Raises:
        UserError: A file is missing or wrong, or nothing is left of it.
    """
    from evaluation.subjectivity.vote_reading import read_votes, votes_file
    from evaluation.subjectivity.votes import Votes, rate

    found = {}
    for source in sources:
        if _task_of(source) != task.name:
            continue
        try:
            path = votes_file(source)
        except NotAtHand:
            raise UserError(
                f"--votes {source.name}: its votes do not ship, and {source.file} is not in "
                "$UNDERSTUDY_DATA; set that, or give the path of a description of your own"
            ) from None
        votes = read_votes(source, task, path)
        rated = rate(votes) if isinstance(votes, Votes) else votes
        for texts in known:
            rated = rated.without(texts)
        if not len(rated.texts):
            raise UserError(f"--votes {source.name}: no text is left to score; see what it says")
        found[source.name] = VotedSet(source, rated)
    return found


def _task_of(source: VoteSource) -> str:
    from builders.tasks import load_task

    return load_task(source.task).name
