"""Takes the texts out of an LLM's answer: structured output, and what LLMs send in its place.

Nothing is invented: every text stands in the answer, up to white space and escapes. Nothing half is
kept: of an answer that breaks off the whole items stay, and the unfinished one goes.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import jiter

from builders.answer_lists import FENCE, Found, declines, from_list, unquoted, without_numbers
from builders.filters.refusal import is_refusal
from builders.requests import Completion

Failure = Literal["unparsable", "refusal", "empty"]


@dataclass(frozen=True)
class Parsed:
    """The texts of an answer, or why there are none.

    Attributes:
        texts: The texts in their order, each run of white space made one space, ends trimmed. An
            item without any character stays, as an empty text: a filter names it.
        failure: `refusal`: the LLM, or a filter of its server, declined; `empty`: there is nothing,
            or nothing whole; `unparsable`: no text can be told from talk. None if there are texts.
        truncated: Whether the answer breaks off or is broken: a text may be missing.
    """

    texts: tuple[str, ...]
    failure: Failure | None = None
    truncated: bool = False


def parse_completion(completion: Completion, n_texts: int | None = None) -> Parsed:
    """Return the texts of `completion`; whatever it holds, there is no error.

    Args:
        completion: The answer.
        n_texts: How many texts the request asked for. Only where it is 1 may a list have a single
            item, or an answer without any list be the text itself.
    """
    if completion.declined:
        return Parsed((), "refusal")
    cut = completion.finish_reason == "length"
    answer = readable(completion.content)
    if not answer:
        return Parsed((), "empty", cut)
    found = _from_json(answer)
    if found is not None:
        found = without_numbers(found, n_texts)
    else:
        found = from_list(answer, n_texts, cut)
    if found is None and n_texts == 1:
        found = _from_prose(answer, cut)
    if found is None:
        return Parsed((), "refusal" if declines(answer) else "unparsable", cut)
    texts = tuple(" ".join(item.split()) for item in found.items)
    return Parsed(texts, None if texts else "empty", found.truncated)


_THOUGHT = re.compile(
    r"\s*<think(?:ing)?>(?:.*?</think(?:ing)?>|.*)|\s*[^\s\[{].*?</think(?:ing)?>", re.DOTALL
)


def readable(content: str) -> str:
    """Drop a model's thinking aloud, and lone surrogates: half a character is none."""
    thought = _THOUGHT.match(content)
    answer = content[thought.end() :] if thought else content
    return re.sub(r"[\ud800-\udfff]", " ", answer).strip("\ufeff \t\r\n")


# ---- JSON, alone, in prose or in fences --------------------------------------------------------

# A bracket that JSON may open with; in prose most do not.
_BRACKET = re.compile(r"\[(?=\s*(?:[\[{\]\"\d-]|true|false|null|$))|\{(?=\s*(?:[}\"]|$))")
_CONTROL = re.compile(r"[\t\n\v\f\r\x1c-\x1f]")
_ESCAPE = re.compile(
    r"(?P<valid>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r'|(?P<known>\\["\\/bfnrtu])'
    r"|\\(?P<other>.)"
)


def json_values(answer: str) -> Iterator[tuple[Any, int, bool]]:
    """Yield each JSON value in `answer`, where it starts, and whether it is whole.

    Of a value that breaks off, or that has a mistake, comes what stands before; None for what is no
    JSON after all.
    """
    # What LLMs get wrong inside strings: line breaks, half characters, escapes such as \'.
    source = _ESCAPE.sub(_mended, _CONTROL.sub(" ", answer))
    position = 0
    while bracket := _BRACKET.search(source, position):
        value, position, whole = _decode(source, bracket.start())
        yield value, bracket.start(), whole


def _from_json(answer: str) -> Found | None:
    """Collect the items of every JSON value in `answer`; None if no value has any."""
    items: list[str] = []
    seen = broken = False
    for value, start, whole in json_values(answer):
        found = _items_of(value, whole)
        # Brackets without items mean something only where an answer starts with them.
        if found or (found is not None and not FENCE.sub("", answer[:start]).strip()):
            items += found
            seen = True
            broken = broken or not whole
    return Found(items, broken) if seen else None


def _mended(escape: re.Match[str]) -> str:
    if escape["half"]:
        return " "
    return escape["other"] or escape[0]


def _decode(source: str, start: int) -> tuple[Any, int, bool]:
    """Return the JSON value at `start`, where to read on, and whether the value is whole."""
    try:
        return *json.JSONDecoder().raw_decode(source, start), True
    except RecursionError:
        return None, len(source), True
    except json.JSONDecodeError as error:
        mistake = error
    except ValueError:  # a number of thousands of digits
        return None, start + 1, True
    before = source[start : mistake.pos]
    if mistake.pos < len(source):
        # A string without a comma behind it may end in its middle: at a quotation mark inside.
        before = before.rstrip().removesuffix('"')
    try:
        # Up to the mistake this is JSON: the incomplete part that jiter leaves out is at the end.
        value = jiter.from_json(before.encode(), partial_mode=True)
    except ValueError:
        return None, start + 1, True
    if mistake.pos == len(source) or mistake.msg.startswith("Unterminated string"):
        return value, len(source), False
    return value or None, max(mistake.pos, start + 1), False


def _items_of(value: Any, whole: bool) -> list[str] | None:
    """Return the texts of a list or an object, None if it holds none."""
    if isinstance(value, list):
        last = len(value) - 1
        items = [_item(each, whole or i < last) for i, each in enumerate(value)]
        texts = [item for item in items if item is not None]
        return texts if texts or not value else None
    if not isinstance(value, dict):
        return None
    numbered = all(key[-1:].isdigit() for key in value)
    if value and numbered and all(isinstance(each, dict) for each in value.values()):
        last = len(value) - 1
        parts = [_items_of(each, whole or i < last) for i, each in enumerate(value.values())]
        return [item for part in parts for item in part or ()] if any(parts) else None
    for key in ("texts", *value):
        if isinstance(value.get(key), list | dict):
            found = _items_of(value[key], whole or key != next(reversed(value)))
            if found is not None:
                return found
    if numbered and all(isinstance(each, str) for each in value.values()):
        return list(value.values())
    item = _item(value, whole)
    return None if item is None else [item]


def _item(value: Any, whole: bool) -> str | None:
    """Return a string, or the text of an object: under `text`, or the only string there is."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("text"), str):
        return str(value["text"])
    strings = {key: each for key, each in value.items() if isinstance(each, str)}
    # An object that breaks off may still have lacked the string that is the text.
    if not whole or len(strings) != 1 or strings.keys() & {"error", "refusal"}:
        return None
    return next(iter(strings.values()))


# ---- Prose -------------------------------------------------------------------------------------

_JSON_LIKE = re.compile(r"[\[{]\s*[\[{\"]")


def _from_prose(answer: str, cut: bool) -> Found | None:
    """Take the whole answer as the one text asked for, without the talk around it."""
    if _JSON_LIKE.search(answer) or is_refusal(answer):
        return None
    if cut:
        return Found([], truncated=True)
    blocks = FENCE.split(answer)
    fenced = blocks[1] if len(blocks) > 1 else answer
    paragraphs = [p for p in re.split(r"\n\s*\n", fenced) if p.strip()]
    while len(paragraphs) > 1 and is_refusal(paragraphs[0]):
        del paragraphs[0]
    while len(paragraphs) > 1 and is_refusal(paragraphs[-1]):
        del paragraphs[-1]
    first, _, rest = "\n".join(paragraphs).strip().partition("\n")
    return Found([unquoted(rest if rest and is_refusal(first) else f"{first}\n{rest}")], False)
