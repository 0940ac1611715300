"""What can go wrong with models, weights and heads, and what to do."""

from __future__ import annotations

from adversarl.errors import AdversarlError

PAIR = "torch==2.14.1 torchvision==0.29.1"
"""Versions that go together, which this package is tested with."""
INSTALL = f"open-clip-torch safetensors scikit-learn {PAIR}"


class UnmatchedTorch(AdversarlError):
    """PyTorch and torchvision are not of one release, and open_clip needs both."""

    def __init__(self, torch: str, torchvision: str, cause: str) -> None:
        super().__init__(
            f"reward 'clip': torch {torch} and torchvision {torchvision} do not go together: {cause}. "
            f"Run: pip install {PAIR}"
        )


class NoGPU(AdversarlError):
    """A GPU is asked for, and there is none."""

    def __init__(self) -> None:
        super().__init__("reward 'clip': device = 'cuda': PyTorch sees no GPU. Set device = 'auto'")


class ModelError(AdversarlError):
    """``model`` names no model."""

    def __init__(self, model: str, problem: str) -> None:
        super().__init__(f"reward 'clip': model = '{model}': {problem}")


class WeightsError(AdversarlError):
    """``pretrained`` names no weights, or such as cannot be had or used."""

    def __init__(self, pretrained: str, problem: str) -> None:
        super().__init__(f"reward 'clip': pretrained = '{pretrained}': {problem}")


class HeadError(AdversarlError):
    """The file of a head cannot be used."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"reward 'clip': head = '{path}': {problem}")


class SamePrompts(AdversarlError):
    """Goal and baseline are one point, through which no line is determined."""

    def __init__(self, goal: str, baseline: str) -> None:
        super().__init__(f"reward 'clip': goal '{goal}' and baseline '{baseline}' mean the same to this model")


class OneSided(AdversarlError):
    """There is nothing to tell apart in training frames."""

    def __init__(self, part: str, solved: int, unsolved: int) -> None:
        super().__init__(
            f"reward 'clip': {part} frames show the task solved {solved} times and unsolved {unsolved} times; a head "
            "needs both. Collect more episodes"
        )
