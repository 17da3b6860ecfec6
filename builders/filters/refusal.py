"""Rejects a refusal, or talk about the answer, that stands where a text should be."""

import re

from builders.filters.base import Candidate, Filter

# Tweets, messages, jokes and headlines say "I can't", "Sorry" and "Sure, here's ..." as well. Each
# pattern therefore asks for what only an assistant says: that it is one, that it declines a request
# for content, or that it announces or closes a list of texts.
_SURE = r"(?:(?:sure|certainly|of course|absolutely|okay|ok|great)\b[^.!:\w]*[.!]?\s*)?"
_AN_AI = r"an? (?:ai|artificial intelligence|(?:large )?language)(?: language)?"
_SORRY = r"(?:(?:i'm |i am )?sorry|i apologi[sz]e|unfortunately)?,? ?(?:but )?"
_CANNOT = r"i(?: am|'m)? ?(?:can't|cannot|can not|won't|unable to|not able to)"
_TEXTS = (
    r"(?:examples?|texts?|tweets?|(?:text |sms )?messages?|headlines?|sentences?|reviews?|comments?"
    r"|news items?|items|jokes?|one-liners?|samples?|variations|versions)"
)
_PATTERNS = (
    # "As an AI language model, I ..."
    rf"{_SORRY}as {_AN_AI}(?: model| assistant| chatbot)?,? i(?:'m|'ve)?\b.*",
    # "I am an AI assistant and cannot ..."
    rf"i(?: am|'m) (?:just |only )?{_AN_AI} (?:model|assistant)\b"
    r".*\b(?:can't|cannot|unable|not able|don't|do not)\b.*",
    # "I'm sorry, but I can't help with that."
    rf"{_SORRY}{_CANNOT} (?:help|assist)(?: you)? with (?:that|this)(?: request)?",
    # "I cannot create content that ..."
    rf"{_SORRY}{_CANNOT} (?:help|assist|fulfil+|comply|complete|provide|generate|create|produce"
    r"|write|continue)\b[^.!?]*\b(?:content|request|prompt|instructions?|examples?|texts"
    r"|guidelines)\b.*",
    # "Sure! Here are 25 unique tweets:"
    rf"{_SURE}(?:here|below)(?: are|'s| is)\b[^.!?:]*\b{_TEXTS}\b[^.!?:]*:",
    # "Certainly, here are 10 more diverse examples."
    rf"{_SURE}(?:here|below) are (?:\d+|some|a few)? ?(?:more|new|unique|diverse|different"
    r"|additional)\b[^.!?:]*\b(?:examples|texts|samples|variations)\b[^.!?:]*",
    # "Let me know if you would like more examples."
    r"(?:please )?let me know if you(?:'d| would)? (?:like|need|want)\b.*\b(?:examples|texts"
    r"|variations|adjustments|changes|modifications)\b.*",
    # "I hope these examples help!" and "Note: these texts are fictional."
    r"(?:note:? )?(?:i hope )?(?:these|the above) (?:examples|texts|samples)\b.*",
)
_REFUSAL = re.compile("|".join(f"(?:{each})" for each in _PATTERNS), re.IGNORECASE | re.DOTALL)


def is_refusal(text: str) -> bool:
    """Say whether all of `text` is an assistant's refusal or its talk about the answer."""
    plain = " ".join(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    return _REFUSAL.fullmatch(plain.strip(" .!*\"'")) is not None


class Refusal(Filter):
    """Rejects a text that is an assistant's refusal or its talk about the answer.

    Precision comes first: what a person might have written stays.
    """

    reason = "refusal"

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether `candidate` is a text."""
        return not is_refusal(candidate.text)
