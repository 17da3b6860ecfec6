"""Takes the texts out of an LLM's answer: structured output, and what LLMs send in its place.

Nothing is invented: every text stands in the answer, up to white space and escapes. Nothing half is
kept: of an answer that breaks off the whole items stay, and the unfinished one goes.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jiter

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


class _Found(NamedTuple):
    """The items of an answer in one of the forms that it may have."""

    items: list[str]
    truncated: bool


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
    found = _from_json(answer) or _from_list(answer, n_texts, cut)
    if found is None and n_texts == 1:
        found = _from_prose(answer, cut)
    if found is None:
        return Parsed((), "refusal" if declines(answer) else "unparsable", cut)
    texts = tuple(" ".join(item.split()) for item in found.items)
    return Parsed(texts, None if texts else "empty", found.truncated)


_THOUGHT = re.compile(
    r"\s*<think(?:ing)?>(?:.*?</think(?:ing)?>|.*)|\s*[^\s\[{].*?</think(?:ing)?>", re.DOTALL
)
_FENCE = re.compile(r"^[ \t]*```[\w+-]*[ \t]*$", re.MULTILINE)


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


def _from_json(answer: str) -> _Found | None:
    """Collect the items of every JSON value in `answer`; None if no value has any."""
    items: list[str] = []
    seen = broken = False
    for value, start, whole in json_values(answer):
        found = _items_of(value, whole)
        # Brackets without items mean something only where an answer starts with them.
        if found or (found is not None and not _FENCE.sub("", answer[:start]).strip()):
            items += found
            seen = True
            broken = broken or not whole
    return _Found(items, broken) if seen else None


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
    for key in ("texts", *value):
        if isinstance(value.get(key), list | dict):
            found = _items_of(value[key], whole or key != next(reversed(value)))
            if found is not None:
                return found
    numbered = all(key[-1:].isdigit() and isinstance(value[key], str) for key in value)
    if numbered:
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


# ---- Lists with a number or a bullet before each item ------------------------------------------

_NUMBERED = re.compile(
    r"[ \t]*(?:\*\*)?\(?\d{1,3}[.)](?:\*\*)?(?:\s+|$|(?=[\"\u201c*]))(?P<item>.*)"
)
_BULLETED = re.compile(r"[ \t]*[-*\u2022\u2013](?:[ \t]+|$)(?P<item>.*)")
_WRAPS = (("**", "**"), *((pair[0], pair[1]) for pair in ('""', "\u201c\u201d", "\xab\xbb", "``")))
_WRAPS += (("'", "'"), ("\u2018", "\u2019"))


def _from_list(answer: str, n_texts: int | None, cut: bool) -> _Found | None:
    """Collect the items of a numbered list or, if there is none, of a bulleted one."""
    lines = answer.splitlines()
    preface, items, open_end = _list_items(lines, _NUMBERED)
    if not items:  # bullets below a number are its details
        preface, items, open_end = _list_items(lines, _BULLETED)
    alone = n_texts == 1 and len(items) == 1 and (not preface or preface.endswith(":"))
    if (len(items) < 2 and not alone) or declines(preface):
        return None
    half = cut and open_end
    whole = [_unquoted(item) for item in (items[:-1] if half else items)]
    return _Found([item for item in whole if item], half)


def _list_items(lines: list[str], marker: re.Pattern[str]) -> tuple[str, list[str], bool]:
    """Return what stands before the list, its items, and whether the last runs to the end.

    A line right below an item belongs to it, and so does an indented one after a blank line, as in
    Markdown. A further paragraph does if another item follows; after the last item it is talk,
    unless the items before had such paragraphs too.
    """
    preface: list[str] = []
    items: list[str] = []
    asides: list[str] = []  # lines of which it is still open whether they belong to the last item
    indent = 0
    blank = long_items = talk = False
    for line in lines:
        found = marker.fullmatch(line)
        depth = len(line) - len(line.lstrip())
        if found and (not items or depth <= indent + 1):
            if not items:
                indent = depth
            elif asides:
                items[-1], long_items = " ".join((items[-1], *asides)), True
            items.append(found["item"])
            asides, talk = [], False
        elif not items:
            preface.append(line)
        elif line.strip() and not talk:
            aside = bool(asides) or (blank and depth <= indent and items[-1] != "")
            talk = _is_talk(line, aside)
            if aside and not talk:
                asides.append(line)
            elif not talk:
                items[-1] += f" {line}"
        blank = not line.strip()
    if long_items:
        items[-1] = " ".join((items[-1], *asides))
    ended = talk or (bool(asides) and not long_items)
    return " ".join(preface).strip(), items, not ended


def _is_talk(line: str, aside: bool) -> bool:
    """Say whether what starts below an item is no part of it: a fence, a remark, a heading."""
    plain = line.strip(" \t*_-=")
    heading = not plain or plain.endswith(":") or plain.startswith("#")
    return (aside and heading) or _FENCE.fullmatch(line) is not None or is_refusal(plain)


def _unquoted(text: str) -> str:
    """Strip one pair of quotation marks, or of Markdown's stars, that wraps the whole text."""
    text = text.strip()
    for left, right in _WRAPS:
        inner = text[len(left) : -len(right)]
        if text == f"{left}{inner}{right}" and inner and left not in inner and right not in inner:
            return inner
    return text


# ---- Prose -------------------------------------------------------------------------------------

_JSON_LIKE = re.compile(r"[\[{]\s*[\[{\"]")
_DECLINING = re.compile(
    r"(?:(?:i'm |i am )?(?:sorry|afraid)\b|unfortunately\b|i apologi[sz]e\b)?[\s,.]*(?:but )?"
    r"(?:i(?:'m| am)? (?:can't|cannot|can not|won't|will not|unable to|not able to)"
    r"|as an ai\b|please (?:provide|share|give|tell))\b",
    re.IGNORECASE,
)


def declines(answer: str) -> bool:
    """Say whether an answer that holds no texts, or what stands before a list, is a refusal."""
    return _DECLINING.match(answer.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None


def _from_prose(answer: str, cut: bool) -> _Found | None:
    """Take the whole answer as the one text asked for, without the talk around it."""
    if _JSON_LIKE.search(answer) or is_refusal(answer):
        return None
    if cut:
        return _Found([], truncated=True)
    blocks = _FENCE.split(answer)
    fenced = blocks[1] if len(blocks) > 1 else answer
    paragraphs = [p for p in re.split(r"\n\s*\n", fenced) if p.strip()]
    while len(paragraphs) > 1 and is_refusal(paragraphs[0]):
        del paragraphs[0]
    while len(paragraphs) > 1 and is_refusal(paragraphs[-1]):
        del paragraphs[-1]
    first, _, rest = "\n".join(paragraphs).strip().partition("\n")
    return _Found([_unquoted(rest if rest and is_refusal(first) else f"{first}\n{rest}")], False)
