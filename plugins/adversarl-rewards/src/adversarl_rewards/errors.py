"""What a user can mend about trained reward detectors."""

from __future__ import annotations

from pathlib import Path

from adversarl.errors import AdversarlError


class NothingToLabel(AdversarlError):
    """A world that cannot say which of its pictures show success."""

    def __init__(self, task: str, problem: str, remedy: str) -> None:
        super().__init__(f'labelled frames of "{task}": {problem}. {remedy}')


class ModelError(AdversarlError):
    """A trained detector that cannot be used."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"reward.model: {path}: {problem}. Train one: adversarl reward train RECIPE --out {path}")
