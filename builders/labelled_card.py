"""The README of a folder of real texts that an LLM labelled."""

from collections.abc import Mapping

from builders.annotation import LabellingRecord
from builders.annotation.questions import words_digest
from builders.annotation.record import words_of
from builders.card import OWN_TEXT, TEMPLATES, card_block, environment, markdown
from builders.tasks.base import Task


def labelled_card(task: Task, record: LabellingRecord, version: str) -> str:
    """Return the card: YAML for the Hub and `load_dataset`, Markdown for people.

    Args:
        task: The task.
        record: What the labelling gave.
        version: Semantic version of the configuration.
    """
    block = card_block(
        task,
        [record],
        version,
        kind="real texts, labelled by an LLM",
        creators="found",
        tags=("llm-labelled", "understudy"),
        prompts={record.strategy: words_digest(task)},
    )
    found = record.agreement
    template = environment(TEMPLATES).get_template("labelled_card.md.j2")
    card: str = template.render(
        task=task,
        record=record,
        metadata=block,
        counts=_table("", {"labelled": record.kept}),
        agreement=found,
        confusion=None if found is None else _table("true label", found.confusion),
        tokens=_tokens(record),
        words=words_of(task),
        own_text=OWN_TEXT,
    )
    return card


def _tokens(record: LabellingRecord) -> str:
    """Return the tokens in words; what no server counted is marked."""
    counted = f"{record.prompt_tokens:,} and {record.answer_tokens:,}, as the server counted"
    estimated = (
        f"about {record.estimated_prompt_tokens:,.0f} and {record.estimated_answer_tokens:,.0f}, "
        f"estimated from the characters of {record.estimated_requests} requests"
    )
    if not record.estimated_requests:
        return counted
    known = record.requests > record.estimated_requests
    return f"{counted}, and {estimated}" if known else estimated


def _table(corner: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return a table: a row a name, a column a label."""
    labels = list(next(iter(counts.values())))
    rows = [
        [corner, *map(markdown, labels)],
        ["---", *("---:" for _ in labels)],
        *([markdown(name), *(str(row[label]) for label in labels)] for name, row in counts.items()),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
