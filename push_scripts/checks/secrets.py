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

# A run of these is a token's body. A digit among them tells it from words with hyphens between.
_BODY = r"(?=[\w-]*\d)[A-Za-z0-9_-]"

_FORMS = {
    "OpenAI key": rf"\bsk-(?!ant-){_BODY}{{20,}}",
    "Anthropic key": rf"\bsk-ant-{_BODY}{{20,}}",
    "Hugging Face token": r"\b(?:hf_|api_org_)[A-Za-z0-9]{30,}\b",
    "AWS access key": r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})\b",
    "Slack token": r"\b(?:xox[abeoprs]|xapp)-\d[\w-]{10,}",
    "Google API key": r"\bAIza[A-Za-z0-9_-]{35}(?![\w-])",
    "Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{20,}\b",
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    # RFC 7519: base64url of '{"' begins header and claims.
    "JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
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
