"""The README of a corpus folder: what `load_dataset` reads, and what a reader has to know.

All of it is written anew whenever the corpus is, down to the line `OWN_TEXT`. What stands below
that line is somebody's own text: a later build keeps it, and so does a push.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from builders.facts import BuildRecord, CorpusRecord
from builders.prompts_digest import prompts_digest
from builders.strategies.base import DIVERSITY_PROMPT
from builders.strategies.few_shot import RULE, FewShot
from builders.tasks.base import Task

TEMPLATES = Path(__file__).parent / "templates"
OWN_TEXT = (
    "<!-- Your own text goes below this line: a push writes all that is above it anew, and keeps "
    "what is below. -->"
)
RECIPE = "understudy"
"""Key of the YAML block under which the task and a digest of each configuration's prompts stand."""


def corpus_card(task: Task, records: Sequence[CorpusRecord], version: str) -> str:
    """Return the card: YAML for the Hub and `load_dataset`, Markdown for people.

    Args:
        task: The task.
        records: One record a configuration; the first is the default one.
        version: Semantic version of every configuration.
    """
    records = [_with_words(record, task) for record in records]
    template = environment(TEMPLATES).get_template("corpus_card.md.j2")
    card: str = template.render(
        task=task,
        records=records,
        metadata=card_block(
            task,
            records,
            version,
            kind="synthetic texts",
            creators="machine-generated",
            tags=("synthetic", "understudy"),
            prompts={each.strategy: each.prompts for each in records},
        ),
        counts=_counts,
        caveats=list(dict.fromkeys(c for record in records for c in record.caveats)),
        asked=_asked(records),
        examples_shown=any(record.strategy == FewShot.name for record in records),
        recorded=any(record.recorded for record in records),
        rule=RULE,
        diversity=DIVERSITY_PROMPT,
        own_text=OWN_TEXT,
    )
    return card


def _with_words(record: CorpusRecord, task: Task) -> CorpusRecord:
    """Return the record with the words that the LLM was asked with; older ones lack them."""
    if record.prompts:
        return record
    return replace(
        record,
        prompts=prompts_digest(task, record.strategy),
        context=task.prompt.context,
        generate=task.prompt.generate,
        meanings=dict(task.labels),
    )


def _asked(records: Sequence[CorpusRecord]) -> list[tuple[list[str], CorpusRecord]]:
    """Return the configurations that were asked for in the same words, and a record of them."""
    groups: dict[tuple[object, ...], list[CorpusRecord]] = {}
    for each in records:
        words = (each.context, each.generate, *each.meanings.items())
        groups.setdefault(words, []).append(each)
    return [([each.strategy for each in group], group[0]) for group in groups.values()]


def environment(templates: Path) -> Any:
    """Return the `jinja2.Environment` of a folder of card templates.

    It has the filters `md` and `code`; a name that a template uses and does not get is an error.
    """
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown has rules of its own: the filters
        keep_trailing_newline=True,
    )
    made.filters.update(md=markdown, code=code_span)
    return made


def parted(body: str) -> tuple[str, str | None]:
    """Divide the body of a card at the line `OWN_TEXT`; None for below where it is not there."""
    # Editors on the web may end lines with CR LF.
    parts = re.split(rf"^{re.escape(OWN_TEXT)}[ \t]*(?:\r?\n|\Z)", body, maxsplit=1, flags=re.M)
    return parts[0], parts[1] if len(parts) == 2 else None


def card_block(
    task: Task,
    records: Sequence[BuildRecord],
    version: str,
    *,
    kind: str,
    creators: str,
    tags: Sequence[str],
    prompts: Mapping[str, str],
) -> str:
    """Return a card's YAML block.

    No licence and no language: an LLM's terms, and those of a source, are the user's to know, and a
    task does not say what language its texts are in.

    Args:
        task: The task.
        records: One record a configuration; the first is the default one.
        version: Semantic version of every configuration.
        kind: What the texts are, behind the task's title.
        creators: Who wrote them, as the Hub names it.
        tags: The data set's tags.
        prompts: Configuration -> digest of the words that the LLM was asked with.
    """
    import yaml

    configs: list[dict[str, Any]] = [
        {
            "config_name": record.strategy,
            "version": version,
            "data_files": [{"split": "train", "path": f"{record.strategy}/{record.files}-*"}],
        }
        for record in records
    ]
    configs[0]["default"] = True
    total = sum(sum(record.kept.values()) for record in records)
    block = {
        "pretty_name": f"{task.title}: {kind}",
        "task_categories": ["text-classification"],
        "annotations_creators": ["machine-generated"],
        "language_creators": [creators],
        "tags": list(tags),
        "size_categories": [_size(total)],
        RECIPE: {"task": task.name, "prompts": dict(prompts)},
        "configs": configs,
    }
    return yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=math.inf).rstrip()


def _size(total: int) -> str:
    """Name the Hub's size category of `total` rows."""
    if total < 1_000:
        return "n<1K"
    names = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
    power = min(len(str(total)) - 4, len(names) - 1)
    return "n>1T" if names[power] == "1T" else f"{names[power]}<n<{names[power + 1]}"


def _counts(record: CorpusRecord) -> str:
    """Return the table of what was kept and why the rest was not: a column a label."""
    labels = list(record.kept)
    rows = [
        ["", *map(markdown, labels)],
        ["---", *("---:" for _ in labels)],
        ["kept", *(str(record.kept[label]) for label in labels)],
        ["surplus", *(str(record.surplus[label]) for label in labels)],
    ]
    for reason, status in record.statuses.items():
        counts = [str(record.rejected[label].get(reason, 0)) for label in labels]
        # A filter that had nothing to compare with rejected nothing: that is not a count of 0.
        rows.append(
            [markdown(reason), *(counts if status == "checked" else [status] * len(labels))]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def markdown(value: object) -> str:
    """Escape text for Markdown: no markup, no table cell, list or line of its own."""
    one_line = " ".join(str(value).split())
    escaped = re.sub(r"([\\`*_\[\]<>|#&~$!])", r"\\\1", one_line)
    return re.sub(r"^([-+=]|\d+(?=[.)]))", _escaped_start, escaped)


def _escaped_start(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def code_span(value: object) -> str:
    """Return text as a code span, whatever backticks it holds (CommonMark 0.31, section 6.1)."""
    one_line = " ".join(str(value).split())
    fence = "`" * (1 + max(map(len, re.findall("`+", one_line)), default=0))
    pad = " " if "`" in (one_line[:1], one_line[-1:]) else ""
    return f"{fence}{pad}{one_line}{pad}{fence}"
