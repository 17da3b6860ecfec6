"""How many requests fill a quota: first as many as it takes if all texts pass, then what lacks."""

from collections.abc import Collection, Iterable, Mapping

from builders.generation.asking import Stretch
from builders.llms.base import Quota

FUTILE = 10
"""Rounds without an accepted text after which a label is given up."""

_TRIAL = 25
"""Texts that are asked for of a label at most after a round that brought none: whether the LLM can
write any is found out at little cost."""

_LEAST_YIELD = 0.1  # of asked texts; a lower rate of acceptance asks for no more at once


class Rounds:
    """Plans the requests of a build, round by round.

    A round depends on what the rounds before gave, and on nothing else: not on the order of
    arrival, so a build that was killed asks for the same when it is started again.

    Args:
        labels: The labels of the task.
        quota: What is asked for.
    """

    def __init__(self, labels: Iterable[str], quota: Quota) -> None:
        self.quota = quota
        self._accepted = dict.fromkeys(labels, 0)
        self._turns = dict.fromkeys(self._accepted, 0)
        self._futile = dict.fromkeys(self._accepted, 0)

    @property
    def given_up(self) -> tuple[str, ...]:
        """The labels that the LLM did not fill in so many rounds."""
        return tuple(label for label, rounds in self._futile.items() if rounds >= FUTILE)

    def first(self) -> list[Stretch]:
        """Return the first round: every label's quota, if every text passed."""
        turns = -(-self.quota.per_label // self.quota.texts_per_request)
        return self._stretches(dict.fromkeys(self._accepted, turns))

    def following(
        self, accepted: Mapping[str, int], broken: Collection[tuple[str, int]] = ()
    ) -> list[Stretch]:
        """Return the next round: nothing where each label is full or given up.

        Args:
            accepted: Label -> texts accepted in all rounds so far.
            broken: Label and index of conversations in which a turn failed: they are over.
        """
        missing: dict[str, int] = {}
        for label, before in self._accepted.items():
            n = accepted.get(label, 0)
            self._accepted[label] = n
            if n >= self.quota.per_label:
                continue
            self._futile[label] = 0 if n > before else self._futile[label] + 1
            if self._futile[label] < FUTILE:
                missing[label] = self._requests(label, self.quota.per_label - n)
        for label in missing:
            conversation, turn = divmod(self._turns[label], self.quota.turns)
            if turn and (label, conversation) in broken:
                self._turns[label] += self.quota.turns - turn
        return self._stretches(missing)

    def _requests(self, label: str, texts: int) -> int:
        """Return how many requests give so many texts if as many pass as did so far."""
        if futile := self._futile[label]:
            return -(-min(texts * (1 + futile), _TRIAL) // self.quota.texts_per_request)
        asked = self._turns[label] * self.quota.texts_per_request
        share = max(_LEAST_YIELD, self._accepted[label] / max(1, asked))
        return -(-texts // max(1, round(self.quota.texts_per_request * share)))

    def _stretches(self, requests: Mapping[str, int]) -> list[Stretch]:
        """Spread requests over conversations, an unfinished one first, the labels in turn."""
        of_label = [self._of_label(label, n) for label, n in requests.items()]
        longest = max(map(len, of_label), default=0)
        return [own[i] for i in range(longest) for own in of_label if i < len(own)]

    def _of_label(self, label: str, requests: int) -> list[Stretch]:
        found: list[Stretch] = []
        turns, done = self.quota.turns, self._turns[label]
        self._turns[label] = end = done + requests
        while done < end:
            conversation, turn = divmod(done, turns)
            last = min(turns, turn + end - done)
            found.append(Stretch(label, conversation, turn + 1, last))
            done += last - turn
        return found
