"""Keys and tokens that give access to something.

Only forms with a prefix of their own, as their issuers print them and as the public rule sets of
gitleaks (github.com/gitleaks/gitleaks, config/gitleaks.toml) and of GitHub's secret scanning list
them. Strings that only look random are left alone: in prose they are codes and misspellings.
"""
# ruff: noqa: A005 - only ever imported as push_scripts.checks.secrets, so it hides nothing.

import re
from collections.abc import Iterator
from typing import ClassVar

from push_scripts.checks.base import Check, Finding, masked

# Languages that put no space between words glue them to a key: only ASCII continues one.
_START, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
# A run of these is a token's body. A digit among them tells it from words with hyphens between.
_BODY = r"(?=[A-Za-z0-9_-]*[0-9])[A-Za-z0-9_-]"

_FORMS = {
    "OpenAI key": rf"{_START}sk-(?!ant-){_BODY}{{20,}}",
    "Anthropic key": rf"{_START}sk-ant-{_BODY}{{20,}}",
    "Hugging Face token": rf"{_START}(?:hf_|api_org_)[A-Za-z0-9]{{30,}}",
    "AWS access key": rf"{_START}(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{{16}}{_END}",
    "GitHub token": rf"{_START}(?:gh[pousr]_[A-Za-z0-9]{{36,}}|github_pat_[A-Za-z0-9_]{{50,}})",
    "Slack token": rf"{_START}(?:xox[abeoprs]|xapp)-[0-9][A-Za-z0-9_-]{{10,}}",
    "Google API key": rf"{_START}AIza[A-Za-z0-9_-]{{35}}(?![A-Za-z0-9_-])",
    "Stripe key": rf"{_START}[rs]k_live_[A-Za-z0-9]{{20,}}",
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    # RFC 7519: base64url of '{"' begins header and claims.
    "JSON web token": _START + r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
}


class Secrets(Check):
    """Finds keys and tokens."""

    name: ClassVar[str] = "secrets"
    advice: str = (
        "take the text out and withdraw the key where it was issued, or go on with --allow "
        "secrets if it is none"
    )

    # What each of the forms begins with or holds.
    hint: ClassVar[str | None] = (
        r"sk-[A-Za-z0-9_-]{20}|hf_|api_org_|A[KSB]IA|ACCA|gh[pousr]_|github_pat_|xox[abeoprs]-|xapp-"
        r"|AIza|[rs]k_live_|PRIVATE KEY|eyJ"
    )

    def __init__(self) -> None:
        self._forms = {kind: re.compile(form) for kind, form in _FORMS.items()}

    def kinds(self) -> dict[str, bool]:
        """Return the issuers whose forms are known."""
        return dict.fromkeys(self._forms, True)

    def findings(self, text: str) -> Iterator[Finding]:
        """Yield each key, masked."""
        for kind, form in self._forms.items():
            for found in form.finditer(text):
                yield Finding(kind, masked(found[0]))
