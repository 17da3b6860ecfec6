"""A recording: answers that an LLM gave earlier, read-only, free and repeatable."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from builders.errors import UserError
from builders.llms.base import LLM, Quota, RequestFailed
from builders.llms.batch_lines import BatchAnswer, read_batch_answers, read_examples
from builders.parsing import parse_completion
from builders.requests import Completion, Request, RequestId
from builders.tasks.base import Task

EMBEDDED = Path(__file__).parent.parent / "recordings"


@dataclass(frozen=True)
class Holdings:
    """What a recording has for one task and strategy.

    Attributes:
        answers: Request -> its answer.
        texts: Label -> texts in all its answers.
        texts_per_request: Texts that one answer holds.
        turns: Turns of the longest conversation.
        conversations: Conversations of a label.
    """

    answers: dict[RequestId, BatchAnswer]
    texts: dict[str, int]
    texts_per_request: int
    turns: int
    conversations: int


class Recording(LLM):
    """Answers by task, strategy, label, conversation and turn.

    It needs no examples and ignores the messages. The embedded recording ships in the package;
    any folder with `STRATEGY/TASK.responses.jsonl[.gz]`, or one such file, works the same way.

    Args:
        path: A folder or a file in the Batch output format, or None for the embedded recording.
    """

    ignores_messages: ClassVar[bool] = True

    def __init__(self, path: Path | None = None) -> None:
        self.path = EMBEDDED if path is None else path
        if not self.path.exists():
            raise UserError(f"no recording at {self.path}: give a folder or a .jsonl[.gz] file")
        self.endpoint = f"recording:{self.path.name}"
        self.model = "recording"
        self.description = f"a recording ({self.path.name})"
        self._holdings = cache(self._read)
        if path is None:
            about = _about()
            self.model = self.description = about["llm"][0]
            self.caveats = tuple(about["caveats"])

    def holdings(self, task: str, strategy: str) -> Holdings:
        """Return what there is for `task` and `strategy`.

        Raises:
            UserError: There is nothing, or a file is damaged.
        """
        return self._holdings(task, strategy)

    async def complete(self, request: Request) -> Completion:
        """Return the recorded answer to the request of that name."""
        held = self.holdings(request.id.task, request.id.strategy).answers.get(request.id)
        if held is None:
            raise RequestFailed("not recorded", request.custom_id)
        if held.completion is None:
            raise RequestFailed(held.failure, request.custom_id)
        return held.completion

    def quota(
        self, task: Task, strategy: str, per_label: int | None, texts_per_request: int | None
    ) -> Quota:
        """Default to all that is recorded; refuse another portion, or more than there is."""
        held = self.holdings(task.name, strategy)
        if texts_per_request is not None and texts_per_request != held.texts_per_request:
            raise UserError(
                f"--texts-per-request {texts_per_request}: the recording of {task.name} "
                f"{strategy} was made with {held.texts_per_request}; leave the option out"
            )
        if unknown := sorted(set(held.texts) - set(task.labels)):
            raise UserError(
                f"the recording of {task.name} {strategy} has answers for labels that the task "
                f"does not have: {', '.join(unknown)}"
            )
        there = {label: held.texts.get(label, 0) for label in task.label_names}
        least = min(there, key=lambda label: there[label])
        if there[least] < (1 if per_label is None else per_label):
            raise UserError(
                f"the recording has {there[least]} answers for {task.name} {strategy} "
                f"{least!r}, {per_label or 1} per label were asked for: use --per-label "
                f"{there[least]} or less"
            )
        wanted = max(there.values()) if per_label is None else per_label
        return Quota(wanted, held.texts_per_request, held.turns, held.conversations)

    def can_answer(self, task: Task, strategy: str) -> bool:
        """Say whether answers for `task` with `strategy` were recorded."""
        if self.path.is_dir():
            return bool(self._files(task.name, strategy))
        return any(
            (answer.id.task, answer.id.strategy) == (task.name, strategy)
            for answer in read_batch_answers(self.path)
        )

    def shown_examples(self, requests: Sequence[Request]) -> tuple[str, ...] | None:
        """Return the examples of the recorded requests, where the request files are at hand.

        They quote real texts and do not ship with the embedded recording: they are looked for
        beside the answers and in `$UNDERSTUDY_DATA/recorded`.
        """
        if not requests:
            return None
        name = requests[0].id
        folders = [self.path] if self.path.is_dir() else []
        if own := os.environ.get("UNDERSTUDY_DATA"):
            folders.append(Path(own) / "recorded")
        for folder in folders:
            for end in ("", ".gz"):
                path = folder / name.strategy / f"{name.task}.requests.jsonl{end}"
                if path.is_file():
                    return read_examples(path)
        return None

    def _read(self, task: str, strategy: str) -> Holdings:
        answers = {
            answer.id: answer
            for path in self._files(task, strategy)
            for answer in read_batch_answers(path)
            if (answer.id.task, answer.id.strategy) == (task, strategy)
        }
        if not answers:
            raise UserError(
                f"the recording {self.path.name} has no answers for task {task!r} with strategy "
                f"{strategy!r}: choose another LLM, task or strategy"
            )
        texts: Counter[str] = Counter()
        portion = 1
        for name, answer in answers.items():
            if answer.completion is not None:
                found = len(parse_completion(answer.completion).texts)
                texts[name.label] += found
                portion = max(portion, found)
        return Holdings(
            answers=answers,
            texts=dict(texts),
            texts_per_request=portion,
            turns=max(name.turn for name in answers),
            conversations=1 + max(name.conversation for name in answers),
        )

    def _files(self, task: str, strategy: str) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        named = [self.path / strategy / f"{task}.responses.jsonl{end}" for end in ("", ".gz")]
        return [path for path in named if path.is_file()]


@cache
def _about() -> dict[str, list[str]]:
    import yaml

    loaded: dict[str, list[str]] = yaml.safe_load((EMBEDDED / "about.yaml").read_text())
    return loaded
