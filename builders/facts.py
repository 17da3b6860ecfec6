"""What building one corpus gave: counted, with reasons, and written beside the corpus."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self, get_origin, get_type_hints

from builders.token_use import TokenUse


@dataclass(frozen=True, kw_only=True)
class BuildRecord:
    """What building one configuration of a data set gave, whatever its texts are.

    Attributes:
        task: Task name.
        strategy: Name of the configuration: the strategy, or what else made it.
        llm: The LLM as cards and reports name it.
        kept: Label -> texts in the data set.
        failed_requests: Reason -> requests without anything usable.
        content_hash: Content hash of the kept texts.
        path: The corpus folder, relative to the study or as given; empty in the folder itself.
        caveats: What a reader has to know of the LLM's answers.
        seed: Seed of the draws.
        texts_per_request: Texts that one request asked for, or about.
        recorded: Whether the answers come from a recording.
        models: The models as they named themselves in the answers of the kept texts, sorted.
        requests: Requests that were answered, to any use or none.
        prompt_tokens: Tokens of their prompts, as far as servers said.
        answer_tokens: Tokens of their answers, as far as servers said.
        estimated_requests: Requests of which no server said all tokens.
        estimated_prompt_tokens: What it did not say of prompts, estimated.
        estimated_answer_tokens: What it did not say of answers, estimated.
        sampling: Sampling parameters of a live LLM's requests, as the API names them.
        unfinished: What ended the build before its quota was met; empty where nothing did.
        files: What the names of the configuration's Parquet files begin with; empty while they
            are not written.
    """

    task: str
    strategy: str
    llm: str
    kept: dict[str, int]
    failed_requests: dict[str, int]
    content_hash: str
    path: str
    caveats: tuple[str, ...] = ()
    seed: int = 0
    texts_per_request: int = 0
    recorded: bool = False
    models: tuple[str, ...] = ()
    requests: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    estimated_requests: int = 0
    estimated_prompt_tokens: float = 0.0
    estimated_answer_tokens: float = 0.0
    sampling: dict[str, float | int | str] = field(default_factory=dict)
    unfinished: str = ""
    files: str = ""

    @property
    def use(self) -> TokenUse:
        """Tokens of all answered requests; `per_text` of it makes them those of one text."""
        return TokenUse(**{each.name: getattr(self, each.name) for each in fields(TokenUse)})

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read the record back from JSON.

        Raises:
            TypeError: It is not one.
        """
        if not isinstance(values, dict):
            raise TypeError("no JSON object")
        for name, kind in get_type_hints(cls).items():
            if get_origin(kind) is dict and not isinstance(values.get(name, {}), dict):
                raise TypeError(f"{name} is no JSON object")
        lists = {name: tuple(values.get(name, ())) for name in ("caveats", "models")}
        return cls(**{**values, **lists})


@dataclass(frozen=True, kw_only=True)
class CorpusRecord(BuildRecord):
    """What building one corpus (task and strategy) gave.

    Attributes:
        requested_per_label: Accepted texts asked for per label.
        candidates: Texts parsed out of the completions.
        surplus: Label -> accepted texts that were not needed.
        rejected: Label -> reason -> count.
        warnings: Reason -> texts kept all the same.
        statuses: Filter's reason -> `checked`, `not checked` or `not applicable`.
        prompts: Digest of the words that the LLM was asked with; empty in records of before.
        context: Who the LLM was to be, as the task said then.
        generate: What it was asked for, as the task said then.
        meanings: Label -> its meaning, as the task said then.
    """

    requested_per_label: int
    candidates: int
    surplus: dict[str, int]
    rejected: dict[str, dict[str, int]]
    warnings: dict[str, int]
    statuses: dict[str, str]
    prompts: str = ""
    context: str = ""
    generate: str = ""
    meanings: dict[str, str] = field(default_factory=dict)

    @property
    def shortfall(self) -> dict[str, int]:
        """Label -> how many texts it has fewer than were asked for; only labels that have."""
        return {
            label: self.requested_per_label - kept
            for label, kept in self.kept.items()
            if kept < self.requested_per_label
        }
