"""One line on the terminal while an LLM is being asked: requests, tokens, money, time left."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from builders.generation import Progress

_EVERY_S = 0.2


class LiveLine:
    """Shows the counts of builds; silent where standard error is no terminal.

    A context manager: the line is closed however the build ends.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._shown = 0.0
        self._last: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._update()
            self._bar.close()
            self._bar = None

    def show(self, progress: Progress) -> None:
        """Show the counts, a few times a second."""
        self._last = progress
        now = time.monotonic()
        if now - self._shown >= _EVERY_S:
            self._shown = now
            self._update()

    def summary(self) -> str:
        """Return what was sent, in one line."""
        p = self._last
        if p is None:
            return "no request was answered"
        parts = [f"requests: {p.answered} answered now, {p.known} in the ledger before"]
        if p.retried:
            reasons = ", ".join(f"{reason} {n}" for reason, n in p.troubles.most_common())
            parts.append(f"{p.retried} sent again ({reasons})")
        parts += [f"{n} failed ({reason})" for reason, n in p.failed.items()]
        if p.prompt_tokens or p.answer_tokens or not p.answered:
            parts.append(f"tokens: {p.prompt_tokens:,} of prompts, {p.answer_tokens:,} of answers")
        else:
            parts.append("tokens: the server did not say")
        if p.usd is not None:
            parts.append(f"{p.usd:.4f} USD")
        if p.said:
            parts.append(f"the last failure: {p.said}")
        return "; ".join(parts)

    def _update(self) -> None:
        from tqdm import tqdm

        p = self._last
        if p is None:
            return
        if self._bar is None:
            self._bar = tqdm(total=p.planned, unit="request", disable=None, initial=p.known)
        self._bar.total = p.planned
        self._bar.n = p.known + p.answered + p.failed.total()
        money = f", {p.usd:.4f} USD" if p.usd is not None else ""
        tokens = p.prompt_tokens + p.answer_tokens
        self._bar.set_postfix_str(f"{p.in_flight} in flight, {tokens:,} tokens{money}")
