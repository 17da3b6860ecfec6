"""Labels that a recording holds: found by the name of the text, whatever the words of a request.

`annotate/TASK.SPLIT.responses.jsonl[.gz]` and `annotate/TASK.responses.jsonl[.gz]`, or a single
file, in the Batch output format; each line has, under `ids`, the names of the texts that its labels
are for, in their order, and is named `TASK/annotate/SPLIT/...`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from builders.annotation.answers import LabelNames
from builders.annotation.labelling import Found, Outcome, outcomes_of
from builders.annotation.questions import MOST_WORDS, NAME, SINGLY, label_request
from builders.data import Texts
from builders.errors import UserError
from builders.llms.base import RequestFailed
from builders.llms.batch_lines import batch_rows, completion_of, no_completion
from builders.llms.recording import Recording
from builders.requests import Completion, RequestId
from builders.strategies.base import Plan
from builders.tasks.base import Task
from builders.token_use import TokenUse


@dataclass(frozen=True)
class LabelAnswer:
    """One answer: its request's name, the texts that it is for, and what was answered, or why not.

    Attributes:
        request: Name of the request.
        ids: Names of the texts.
        completion: The answer, None where there is none.
        failure: Why there is none.
        outcomes: What it makes of each text.
    """

    request: str
    ids: tuple[str, ...]
    completion: Completion | None
    failure: str
    outcomes: Sequence[Outcome]


class RecordedLabels:
    """What a recording holds of the labels of one split of a task.

    Args:
        recording: The recording.
        task: The task.
        split: `train`, `test`, or `texts` of a file.

    Raises:
        UserError: A file is damaged, or gives one text two labels.
    """

    def __init__(self, recording: Recording, task: Task, split: str) -> None:
        self.recording = recording
        self.task = task
        self.split = split
        names = LabelNames(task.label_names)
        files = _files(recording.path, task.name, split)
        self.answers = [each for file in files for each in _read(file, task.name, split, names)]

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """Name of a text -> what became of it, in the order of the recording."""
        found: dict[str, Outcome] = {}
        for answer in self.answers:
            for name, outcome in zip(answer.ids, answer.outcomes, strict=True):
                before = found.setdefault(name, outcome)
                if before.label is None:
                    found[name] = outcome
                elif outcome.label not in (None, before.label):
                    raise UserError(
                        f"{self.recording.called} gives {name} two labels, in {before.request} and "
                        f"{outcome.request}; keep one"
                    )
        return found

    @property
    def texts_per_request(self) -> int:
        """Texts of one request, as most of them have; 0 where there are none."""
        sizes = Counter(len(a.ids) for a in self.answers if f"/{SINGLY}/" not in a.request)
        return max(sizes, key=lambda size: (sizes[size], size), default=0)

    def found(self, pool: Texts, chosen: Sequence[str]) -> Found:
        """Return what is recorded of texts.

        Their requests are not recorded. To tell what they used they are made anew, in the words
        that a live LLM would be asked with.

        Args:
            pool: The texts at hand.
            chosen: Names of those that are meant; each is recorded.
        """
        place = {name: i for i, name in enumerate(pool.ids)}
        meant = set(chosen)
        answers = [each for each in self.answers if not meant.isdisjoint(each.ids)]
        words, plan = self.recording.label_words, Plan(self.texts_per_request)
        use = TokenUse()
        for number, each in enumerate(answers):
            if each.completion is not None:
                name = RequestId(self.task.name, NAME, self.split, number, 1)
                there = pool.select([place[name] for name in each.ids if name in place])
                request = label_request(self.task, name, there, plan, words or MOST_WORDS)
                use += TokenUse.of(request, each.completion)
        return Found(
            outcomes=[self.outcomes[name] for name in chosen],
            texts_per_request=self.texts_per_request,
            most_words=words,
            use=use,
            failed=[
                each.failure or each.outcomes[0].reason
                for each in answers
                if each.outcomes[0].spoiled
            ],
            missing=len(self.outcomes.keys() - place.keys()),
        )


def recorded_ids(recording: Recording, task: Task, split: str) -> tuple[str, ...]:
    """Return the names of the texts of a split that a recording has answers for."""
    return tuple(RecordedLabels(recording, task, split).outcomes)


def _files(path: Path, task: str, split: str) -> list[Path]:
    if path.is_file():
        return [path]
    named = [path / NAME / f"{task}{part}.responses.jsonl" for part in (f".{split}", "")]
    packed = [each.with_name(f"{each.name}.gz") for each in named]
    for plain, gzipped in zip(named, packed, strict=True):
        if plain.is_file() and gzipped.is_file():
            raise UserError(f"{plain}: is there plain and gzipped; keep one")
    return [each for each in (*named, *packed) if each.is_file()]


def _read(path: Path, task: str, split: str, names: LabelNames) -> Iterator[LabelAnswer]:
    """Yield the answers in a file that are for texts of a split of `task`."""
    for where, row in batch_rows(path):
        name = row.get("custom_id") if isinstance(row, dict) else None
        if not isinstance(name, str):
            raise UserError(
                f"{where}: not a line of a Batch file; each is a JSON object with the text "
                "custom_id"
            )
        if name.split("/")[:3] != [task, NAME, split]:
            continue
        ids = _ids(row, where)
        completion, failure = None, ""
        try:
            completion = completion_of(row)
        except RequestFailed as failed:
            failure = failed.reason
        except (AttributeError, TypeError, LookupError) as error:
            raise no_completion(where, error) from error
        yield LabelAnswer(
            name, ids, completion, failure, outcomes_of(names, name, len(ids), completion)
        )


def _ids(row: dict[str, Any], where: str) -> tuple[str, ...]:
    ids = row.get("ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) for each in ids):
        raise UserError(
            f"{where}: does not say which texts its labels are for; it has to hold their names "
            "under ids"
        )
    return tuple(ids)
