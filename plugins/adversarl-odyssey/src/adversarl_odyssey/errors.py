"""Errors of Odyssey that a user can mend."""

from __future__ import annotations

from adversarl.errors import AdversarlError


class OdysseyError(AdversarlError):
    """The service, the SDK or a recording cannot be used: one sentence, and what to do."""

    def __init__(self, sentence: str, action: str) -> None:
        super().__init__(f"Odyssey: {sentence}. {action}")
        self.sentence, self.action = sentence, action
