"""A recording: answers that an LLM gave earlier, read-only, free and repeatable."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from builders.errors import UserError
from builders.llms.base import Quota, RecordedLLM
from builders.llms.batch_lines import BatchAnswer, read_batch_answers, read_examples
from builders.parsing import parse_completion
from builders.requests import Completion, Request, RequestId
from builders.tasks.base import Task

EMBEDDED = Path(__file__).parent.parent / "recordings"

_SPARSE = 100  # a recording in which less than one request in so many has an answer is misnumbered


@dataclass(frozen=True)
class Holdings:
    """What a recording has for one task and strategy.

    Attributes:
        answers: Request -> its answer.
        texts: Label -> texts in all its answers.
        texts_per_request: Texts that one answer holds, as most of them do.
        turns: Turns of the longest conversation.
        conversations: Conversations of a label.
    """

    answers: Mapping[RequestId, BatchAnswer]
    texts: Mapping[str, int]
    texts_per_request: int
    turns: int
    conversations: int


class Recording(RecordedLLM):
    """Answers by task, strategy, label, conversation and turn.

    It needs no examples and ignores the messages. The embedded recording ships in the package;
    any folder with `STRATEGY/TASK.responses.jsonl[.gz]`, or one such file, works the same way.

    Args:
        path: A folder or a file in the Batch output format, or None for the embedded recording.

    Attributes:
        called: The recording as messages name it.
        label_caveats: What a reader has to know of the labels that it holds.
        label_words: Words of a text that were shown to have it labelled, None where not known.

    Raises:
        UserError: There is nothing at the path.
    """

    ignores_messages: ClassVar[bool] = True

    def __init__(self, path: Path | None = None) -> None:
        self.path = EMBEDDED if path is None else path
        if not self.path.exists():
            raise UserError(f"no recording at {self.path}: give a folder or a .jsonl[.gz] file")
        self._embedded = path is None
        self.called = "the embedded recording" if path is None else f"the recording {path}"
        self.model = "recording"
        # The last part alone: a card does not tell where on a machine the recording was.
        self.description = f"a recording ({self.path.resolve().name})"
        self.endpoint = f"recording:{self.path.resolve().name}"
        self._answers = cache(self._read)
        self._holdings = cache(self._count)
        self.label_caveats: tuple[str, ...] = ()
        self.label_words: int | None = None
        if self._embedded:
            about = _about()
            self.model = self.description = about["llm"][0]
            self.caveats = tuple(about["caveats"])
            self.label_caveats = tuple(about["labels"]["caveats"])
            self.label_words = about["labels"]["most_words"]

    def holdings(self, task: str, strategy: str) -> Holdings:
        """Return what there is for `task` and `strategy`.

        Raises:
            UserError: There is nothing, or a file is damaged.
        """
        return self._holdings(task, strategy)

    def answer(self, request: Request) -> Completion | str:
        """Return the recorded answer to the request of that name, or why there is none."""
        held = self._answers(request.id.task, request.id.strategy).get(request.id)
        if held is None:
            return "not recorded"
        return held.failure if held.completion is None else held.completion

    def quota(
        self, task: Task, strategy: str, per_label: int | None, texts_per_request: int | None
    ) -> Quota:
        """Default to all that is recorded; refuse another portion, or more than there is."""
        held = self.holdings(task.name, strategy)
        where = f"the recording of {task.name} {strategy}"
        if unknown := sorted(set(held.texts) - set(task.labels)):
            raise UserError(
                f"{where} has answers for labels that the task does not have: {', '.join(unknown)}"
            )
        there = {label: held.texts.get(label, 0) for label in task.label_names}
        least = min(there, key=lambda label: there[label])
        if not there[least]:
            raise UserError(f"{where} has no answers for {least!r}: use another recording or LLM")
        if texts_per_request not in (None, held.texts_per_request):
            raise UserError(
                f"--texts-per-request {texts_per_request}: {where} was made with "
                f"{held.texts_per_request}; leave the option out"
            )
        if per_label is not None and per_label > there[least]:
            raise UserError(
                f"--per-label {per_label}: {where} has {there[least]} answers for {least!r}; use "
                f"--per-label {there[least]} or less, or a live LLM"
            )
        wanted = max(there.values()) if per_label is None else per_label
        return Quota(wanted, held.texts_per_request, held.turns, held.conversations)

    def can_answer(self, task: Task, strategy: str) -> bool:
        """Say whether answers for `task` with `strategy` were recorded."""
        return bool(self._answers(task.name, strategy))

    def shown_examples(self, requests: Sequence[Request]) -> tuple[str, ...] | None:
        """Return the examples of the recorded requests, where the request files are at hand.

        They are looked for beside the answers. Those of the embedded recording quote real texts
        and do not ship with it; they are looked for in `$UNDERSTUDY_DATA/recorded`.
        """
        if not requests:
            return None
        task, strategy = requests[0].id.task, requests[0].id.strategy
        for path in self._request_files(task, strategy):
            if path.is_file():
                return read_examples(path, task, strategy)
        return None

    def _request_files(self, task: str, strategy: str) -> list[Path]:
        if self.path.is_file():
            stem, found, _ = self.path.name.rpartition(".responses.jsonl")
            named = [self.path.parent / f"{stem}.requests.jsonl"] if found else []
        else:
            data = os.environ.get("UNDERSTUDY_DATA")
            folders = [self.path, *([Path(data) / "recorded"] if data and self._embedded else [])]
            named = [folder / strategy / f"{task}.requests.jsonl" for folder in folders]
        return [each for path in named for each in (path, path.with_name(f"{path.name}.gz"))]

    def _read(self, task: str, strategy: str) -> dict[RequestId, BatchAnswer]:
        found: dict[RequestId, BatchAnswer] = {}
        path = self._file(task, strategy)
        for answer in read_batch_answers(path) if path else ():
            if (answer.id.task, answer.id.strategy) != (task, strategy):
                continue
            before = found.get(answer.id)
            if before is None or before.completion is None:
                found[answer.id] = answer
            elif answer.completion not in (None, before.completion):
                raise UserError(f"{path}: two different answers to {answer.id}; keep one")
        return found

    def _count(self, task: str, strategy: str) -> Holdings:
        answers = self._answers(task, strategy)
        if not answers:
            raise UserError(
                f"{self.called} has no answers for task {task!r} with strategy "
                f"{strategy!r}: choose another LLM, task or strategy"
            )
        turns = max(name.turn for name in answers)
        conversations = 1 + max(name.conversation for name in answers)
        if min(name.turn for name in answers) < 1 or turns * conversations > _SPARSE * len(answers):
            raise UserError(
                f"{self.called} holds {len(answers)} answers of {task} {strategy} "
                f"up to c{conversations - 1} and t{turns}: number conversations from c0 and turns "
                "from t1"
            )
        portion = _usual_portion(answers)
        texts = Counter(dict.fromkeys((name.label for name in answers), 0))
        for name, answer in answers.items():
            if answer.completion is not None:
                texts[name.label] += len(parse_completion(answer.completion, portion).texts)
        return Holdings(
            answers=answers,
            texts=dict(texts),
            texts_per_request=portion,
            turns=turns,
            conversations=conversations,
        )

    def _file(self, task: str, strategy: str) -> Path | None:
        if self.path.is_file():
            return self.path
        plain = self.path / strategy / f"{task}.responses.jsonl"
        there = [each for each in (plain, plain.with_name(f"{plain.name}.gz")) if each.is_file()]
        if len(there) > 1:
            raise UserError(f"{there[0]}: is there plain and gzipped; keep one")
        return there[0] if there else None


def _usual_portion(answers: Mapping[RequestId, BatchAnswer]) -> int:
    """Return how many texts most answers hold (of two such numbers the larger), at least 1."""
    parsed = [parse_completion(a.completion) for a in answers.values() if a.completion is not None]
    sizes = Counter(len(each.texts) for each in parsed if each.texts)
    return max(sizes, key=lambda size: (sizes[size], size), default=1)


@cache
def _about() -> dict[str, Any]:
    import yaml

    text = (EMBEDDED / "about.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
