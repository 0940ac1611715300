"""What a user can mend about trained reward detectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from adversarl.errors import AdversarlError, did_you_mean


class NothingToLabel(AdversarlError):
    """A world that cannot say which of its pictures show success."""

    def __init__(self, task: str, problem: str, remedy: str) -> None:
        super().__init__(f'labelled frames of "{task}": {problem}. {remedy}')


class ModelError(AdversarlError):
    """A trained detector that cannot be used."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"reward.model: {path}: {problem}. Train one: adversarl reward train RECIPE --out {path}")


class UnknownModel(AdversarlError):
    """A trained detector that comes with no package."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        there = sorted(known)
        super().__init__(
            f"reward.model: no model named '{name}' comes with adversarl-rewards, which has: {', '.join(there)}. "
            f"{did_you_mean(name, there)} For a file, write its name with .pt; "
            f"to train one: adversarl reward train RECIPE --out {name}.pt"
        )


class OtherTask(AdversarlError):
    """A detector that was trained to see something else."""

    def __init__(self, path: Path, trained: str, task: str) -> None:
        super().__init__(
            f'reward.model: {path} was trained on "{trained}", and the task is "{task}". Train one for it: '
            f"adversarl reward train RECIPE --out FILE.pt; or set reward.any_task = true"
        )
