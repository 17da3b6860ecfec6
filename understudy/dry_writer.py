"""Stands in for a live LLM in a dry run: counts what it would be asked, and asks nothing."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from builders.annotation import CONFIGURATION, Labelling, LabellingRecord, LabelOrder, drawn_texts
from builders.annotation.labelling import Outcome
from builders.composition import Composition, Order
from builders.data import LabelledTexts
from builders.estimates import corpus_estimate, labels_estimate
from builders.facts import CorpusRecord
from builders.filters.base import Candidate
from builders.filters.copies import CopyIndex
from builders.generation.estimate import Estimate
from builders.ledger import Ledger
from builders.llms.base import LiveLLM
from builders.requests import RequestId
from builders.tasks.base import Task
from builders.token_use import TokenUse
from understudy.writer import Writer


class DryWriter(Writer):
    """Gives as many texts as are asked for: each a row of one word, as long as texts are to be.

    So a study can be planned: which arms it has, how many texts each, and what the LLM would be
    asked. Nobody is to train on these texts.

    Args:
        llm: What would answer.
        known: What it answered before; None where there is no ledger.

    Attributes:
        estimates: What was asked for -> what it would use.
    """

    def __init__(self, llm: LiveLLM, known: Ledger | None) -> None:
        super().__init__(llm)
        self.asked = llm
        self.known = known
        self.estimates: dict[str, Estimate] = {}

    @property
    def asks(self) -> bool:
        """True, as of the LLM that it stands in for."""
        return True

    def write(
        self,
        task: Task,
        order: Order,
        train: LabelledTexts | None,
        tested: Sequence[str] | CopyIndex | None,
    ) -> Composition:
        """Return a corpus of the size that is asked for."""
        del tested
        llm = self.asked
        self.estimates[f"{task.name} {order.strategy}"] = corpus_estimate(
            task, order, llm, train, self.known
        )
        n = llm.quota(task, order.strategy, order.per_label, order.texts_per_request).per_label
        text = " ".join(["text"] * (sum(task.length_words) // 2))
        kept = tuple(
            Candidate(text, RequestId(task.name, order.strategy, label, 0, 1), i)
            for label in task.label_names
            for i in range(n)
        )
        record = CorpusRecord(
            task=task.name,
            strategy=order.strategy,
            llm=llm.description,
            kept=dict.fromkeys(task.label_names, n),
            failed_requests={},
            content_hash="",
            path="",
            requested_per_label=n,
            candidates=len(kept),
            surplus={},
            rejected={},
            warnings={},
            statuses={},
            **_use(corpus_estimate(task, order, llm, train)),
        )
        return Composition(task, kept, record)

    def label(self, task: Task, texts: LabelledTexts, order: LabelOrder, source: str) -> Labelling:
        """Return the texts that the LLM would be asked about, as if it found their true labels."""
        llm = self.asked
        self.estimates[f"{task.name} labels of {order.split} texts"] = labels_estimate(
            task, texts, order, llm, self.known
        )
        asked = drawn_texts(texts, order)
        assert isinstance(asked, LabelledTexts)
        record = LabellingRecord(
            task=task.name,
            strategy=CONFIGURATION,
            llm=llm.description,
            kept=asked.counts(),
            failed_requests={},
            content_hash="",
            path="",
            split=order.split,
            source=source,
            at_hand=len(texts),
            requested=len(asked),
            asked=len(asked),
            unlabelled={},
            **_use(labels_estimate(task, texts, order, llm)),
        )
        return Labelling(task, asked, tuple(map(Outcome, asked.labels)), record)


def _use(estimate: Estimate) -> dict[str, Any]:
    """Return the tokens of all requests, whatever a ledger holds, as a record has them."""
    n = estimate.requests
    use = TokenUse(
        requests=n,
        estimated_requests=n,
        estimated_prompt_tokens=estimate.prompt_tokens,
        estimated_answer_tokens=estimate.answer_tokens,
    )
    return asdict(use)
