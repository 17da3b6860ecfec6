"""The card of a released model: filled by its run alone, above the user's own text."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders.card import OWN_TEXT, environment
from builders.errors import UserError
from evaluation.uncertainty.scores import Interval
from push_scripts.hub_card import own_text, read_metadata
from trainers.encoders import EMBEDDED
from trainers.run_folder import Scores, TrainedRun

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TEMPLATES = Path(__file__).parent / "templates"
_EMBEDDED_BASE = "sentence-transformers/all-MiniLM-L6-v2"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_SYNTHETIC = "synthetic"
_OF_RUNS = {
    "license",
    "library_name",
    "pipeline_tag",
    "base_model",
    "datasets",
    "metrics",
    "model_name",
    "model-index",
}
"""Keys that a push writes, where the run has something to say: an earlier run's would be wrong."""


def model_card(
    run: TrainedRun, name: str, version: str, licence: str | None, there: str | None
) -> str:
    """Return the card of a release.

    Args:
        run: The run.
        name: The repository, `owner/name`.
        version: The release.
        licence: Identifier of the licence, None where none is chosen.
        there: The card on the Hub, None where there is none. Its text below the line for it is
            kept, and so are the keys of its YAML block that a push does not write.

    Raises:
        UserError: The card on the Hub cannot be read, or the Hub's own classes refuse the result.
    """
    import yaml
    from huggingface_hub import ModelCard

    kept = read_metadata(there, f"{name}: README.md") if there is not None else {}
    kept = {key: value for key, value in kept.items() if key not in _OF_RUNS}
    own = _metadata(run, name, licence)
    theirs = [tag for tag in kept.get("tags") or () if tag != _SYNTHETIC]
    own["tags"] = list(dict.fromkeys([*own["tags"], *theirs]))
    # Ours first: the same push again gives the same bytes, and finds its commit.
    merged = {**own, **{key: value for key, value in kept.items() if key not in own}}
    block = yaml.safe_dump(merged, sort_keys=False, allow_unicode=True, width=math.inf).rstrip()
    body = (
        environment(TEMPLATES)
        .get_template("model_card.md.j2")
        .render(
            run=run,
            name=name,
            version=version,
            licence=licence,
            n_train=sum(run.n_per_label.values()),
            level=run.tests[0].macro_f1.level if run.tests else None,
            interval=_interval,
            title=re.sub(r"[{}\\`]", " ", " ".join(run.title.split())),
            key=re.sub(r"[^A-Za-z0-9]+", "-", name),
        )
    )
    below = own_text(there) if there is not None else ""
    card = f"---\n{block}\n---\n{body.rstrip()}\n\n{OWN_TEXT}\n{below}"
    try:
        ModelCard(card)
    except (ValueError, TypeError) as error:
        raise UserError(f"{name}: huggingface_hub refuses the card ({error}); mend it") from error
    return card


def _metadata(run: TrainedRun, name: str, licence: str | None) -> dict[str, Any]:
    """Return the YAML block: no language, as a task does not say which its texts are in."""
    from huggingface_hub import ModelCardData

    results = [result for test in run.tests for result in _results(run, test)]
    data: Any = ModelCardData(
        license=licence,
        library_name="transformers",
        pipeline_tag="text-classification",
        base_model=_base_model(run.encoder),
        datasets=_datasets(run) or None,
        tags=["understudy", *([_SYNTHETIC] if run.corpus else [])],
        metrics=["f1", "accuracy"] if run.tests else None,
        model_name=name.rpartition("/")[2],
        eval_results=results or None,
    )
    block: dict[str, Any] = data.to_dict()
    return block


def _results(run: TrainedRun, test: Scores) -> "list[EvalResult]":
    """Return a test set's scores, which `huggingface_hub` gathers to one entry."""
    from huggingface_hub import EvalResult

    path, commit = _on_hub(test.source)
    return [
        EvalResult(
            task_type="text-classification",
            dataset_type=path or run.task,
            dataset_name=f"{' '.join(run.title.split())}, {test.n} real texts",
            dataset_split="test",
            dataset_revision=commit or None,
            metric_type=kind,
            metric_name=title,
            metric_value=round(score.value, 4),
        )
        for kind, title, score in (
            ("f1", "Macro-F1", test.macro_f1),
            ("accuracy", "Accuracy", test.accuracy),
        )
    ]


def _datasets(run: TrainedRun) -> list[str]:
    """Return the data sets of the Hub that it was trained on."""
    sources = (_on_hub(run.corpus_source)[0], _on_hub(run.train_source)[0])
    return [name for name in sources if name]


def _on_hub(source: str) -> tuple[str, str]:
    """Return repository and commit of a source; both empty where it is elsewhere."""
    path, _, commit = source.partition("@")
    return (path, commit) if commit and _REPOSITORY.fullmatch(path) else ("", "")


def _base_model(encoder: str) -> str | None:
    if encoder == EMBEDDED:
        return _EMBEDDED_BASE
    return encoder if _REPOSITORY.fullmatch(encoder) else None


def _interval(score: Interval) -> str:
    return f"{score.low:.3f} to {score.high:.3f}"
