"""What a user can mend about models of kinds of failure."""

from __future__ import annotations

from pathlib import Path

from adversarl.errors import AdversarlError


class KindModelError(AdversarlError):
    """A model that cannot be used."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"failure.model: {path}: {problem}. Train one: adversarl failures train RECIPE --out {path}")


class NothingToLearn(AdversarlError):
    """A model that cannot be trained."""

    def __init__(self, task: str, problem: str) -> None:
        super().__init__(f'adversarl failures train: "{task}": {problem}')
