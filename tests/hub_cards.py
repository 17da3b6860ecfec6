"""The metadata of a card, checked as far as the tests' Hub knows the real one's rules."""

import re
from typing import Any

import yaml

_LISTS = ("tags", "task_categories", "task_ids", "datasets", "configs")


def card_errors(content: str) -> list[str]:
    """Return what is wrong with the YAML at the head of a card."""
    meta = card_metadata(content)
    if isinstance(meta, str):
        return [meta]
    errors = [f'"{key}" must be an array' for key in _LISTS if key in meta and not _list(meta[key])]
    if not isinstance(meta.get("license", ""), str | list):
        errors.append('"license" must be a string')
    for i, config in enumerate(_list(meta.get("configs")) or []):
        if not isinstance(config, dict) or not isinstance(config.get("config_name"), str):
            errors.append(f'"configs[{i}].config_name" must be a string')
    for i, model in enumerate(_list(meta.get("model-index")) or []):
        named = isinstance(model, dict) and model.get("name")
        errors += [] if named else [f'"model-index[{i}].name" is required']
        for j, result in enumerate(model.get("results", ()) if isinstance(model, dict) else ()):
            errors += [
                f'"model-index[{i}].results[{j}].{key}" is required'
                for key in ("task", "metrics")
                if key not in result
            ]
    return errors


def card_metadata(content: str) -> dict[str, Any] | str:
    """Return the metadata, or what is wrong with its YAML; {} where there is none."""
    found = re.match(r"\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|$)", content, re.DOTALL)
    try:
        meta = yaml.safe_load(found[1]) if found else {}
    except yaml.YAMLError as error:
        return f"YAML metadata is invalid: {error}"
    return meta if isinstance(meta, dict) else "YAML metadata must be a mapping"


def _list(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None
