"""An LLM that is ready to be asked: with its ledger open, and within its budget."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from builders.composition import Live
from builders.errors import UserError
from builders.generation import Budget, Caps, Progress
from builders.ledger import Ledger
from builders.llms import LLM, LLMOptions, create_llm
from builders.llms.base import LiveLLM
from understudy.settings import is_recording


@dataclass(frozen=True)
class LLMSession:
    """What a user says of the LLM.

    Attributes:
        name: The `--llm` option.
        options: What else is said of a live one.
        caps: What may be used.
        ledger: Where answers are kept for good; None where the LLM needs none.
        watch: Called with the counts whenever they change.
    """

    name: str = "recording"
    options: LLMOptions = field(default_factory=LLMOptions)
    caps: Caps = field(default_factory=Caps)
    ledger: Path | None = None
    watch: Callable[[Progress], object] = lambda progress: None

    @property
    def live(self) -> bool:
        """Whether the LLM is asked now."""
        return not is_recording(self.name)

    def asked(self) -> str | None:
        """Return what decides the answers of a live LLM beside its name; None of a recording."""
        if not self.live:
            return None
        options = self.options
        decisive = {
            "base_url": options.connection.base_url,
            "turns": options.turns,
            **asdict(options.sampling),
        }
        return json.dumps({name: value for name, value in decisive.items() if value is not None})

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[LLM, Live | None]]:
        """Make the LLM and open what its builds need; a recording needs nothing.

        Raises:
            UserError: The LLM is unknown, its key is missing, or the ledger cannot be opened.
        """
        if not self.live:
            if self.caps:
                raise UserError(f"--llm {self.name}: costs nothing; leave --max-... out")
            yield create_llm(self.name, self.options), None
            return
        Budget(self.caps, self._create().price)  # what is wrong is said before there is a ledger
        assert self.ledger is not None
        with Ledger(self.ledger) as ledger:
            llm = self._create(ledger)
            yield llm, Live(ledger, Budget.of(llm, self.caps), self.watch)

    @contextlib.contextmanager
    def unasked(self) -> Iterator[tuple[LiveLLM, Ledger | None]]:
        """Make a live LLM that is not to be asked, and open the ledger if there is one.

        Raises:
            UserError: It is a recording, of which nothing is to be estimated, or unknown.
        """
        if not self.live:
            raise UserError(f"--dry-run: {self.name} sends nothing and costs nothing; leave it out")
        if self.ledger is None or not self.ledger.is_file():
            yield self._create(), None
            return
        with Ledger(self.ledger) as known:
            yield self._create(known), known

    def _create(self, ledger: Ledger | None = None) -> LiveLLM:
        llm = create_llm(self.name, self.options, ledger)
        assert isinstance(llm, LiveLLM)
        return llm
