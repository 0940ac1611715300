"""A calibrated head on frozen features: what it computes, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import MissingExtra
from adversarl_clip.errors import INSTALL, HeadError
from adversarl_clip.goal_baseline import Vectors, logistic
from adversarl_clip.options import ClipOptions

FORMAT = 1
ENTRY = "adversarl-clip head"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a head was trained on.

    Attributes:
        task: In English.
        model: As in the options.
        pretrained: Likewise.
        fingerprint: Of the weights, see `Encoder.fingerprint`.
    """

    task: str
    model: str
    pretrained: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Linear:
    """x . weight + bias; weight has Shape (d,)."""

    weight: Vectors
    bias: float

    def __call__(self, features: Vectors) -> Vectors:
        """Values of features of Shape (n, d). Shape (n,)."""
        result: Vectors = features @ self.weight + self.bias
        return result

    def tensors(self, name: str) -> dict[str, NDArray[np.float64]]:
        """To be saved."""
        return {f"{name}.weight": self.weight, f"{name}.bias": np.array([self.bias])}


@dataclass(frozen=True, slots=True)
class Head:
    """Logistic success and linear progress of a picture's features.

    Attributes:
        success: Calibrated log odds that the task is solved.
        progress: How far it has come; None if the training frames did not tell.
        origin: What it was trained on.
        figures: What was measured after training; JSON-ready.
    """

    success: Linear
    progress: Linear | None
    origin: Origin
    figures: Mapping[str, Any] = field(default_factory=dict)

    def probability(self, features: Vectors) -> Vectors:
        """That the task is solved. Shape (n,)."""
        return logistic(self.success(features))

    def far(self, features: Vectors) -> Vectors:
        """Progress in [0, 1]; of a head that knows it. Shape (n,)."""
        assert self.progress is not None
        result: Vectors = np.clip(self.progress(features), 0.0, 1.0)
        return result

    def save(self, path: Path) -> None:
        """Writes one file of safetensors, which can hold no code."""
        from safetensors.numpy import save_file

        tensors = self.success.tensors("success")
        if self.progress is not None:
            tensors |= self.progress.tensors("progress")
        origin = {name: getattr(self.origin, name) for name in Origin.__slots__}
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"format": FORMAT, "origin": origin, "figures": dict(self.figures)}
        # One entry: several are written in an order that differs from process to process.
        save_file(tensors, path, metadata={ENTRY: json.dumps(about)})


def read(path: Path) -> Head:
    """Reads a head back.

    Raises:
        HeadError: There is no such file, or it holds something else.
        MissingExtra: safetensors is not installed.
    """
    try:
        from safetensors import SafetensorError, safe_open
    except ModuleNotFoundError as error:
        raise MissingExtra("reward 'clip'", "safetensors", INSTALL) from error
    if not path.is_file():
        raise HeadError(str(path), f"there is no such file. Make one with: {command()}")
    try:
        with safe_open(path, framework="numpy") as held:
            about = json.loads((held.metadata() or {})[ENTRY])
            if about["format"] != FORMAT:
                raise HeadError(str(path), f"has format {about['format']}, this version reads {FORMAT}")
            tensors = {name: held.get_tensor(name) for name in held.keys()}
        progress = _linear(tensors, "progress") if "progress.weight" in tensors else None
        return Head(_linear(tensors, "success"), progress, Origin(**about["origin"]), about["figures"])
    except (SafetensorError, OSError, LookupError, TypeError, ValueError):
        raise HeadError(str(path), "is no head of clip's") from None


def _linear(tensors: Mapping[str, NDArray[np.float64]], name: str) -> Linear:
    return Linear(tensors[f"{name}.weight"], float(tensors[f"{name}.bias"][0]))


def command(options: ClipOptions | None = None) -> str:
    """What trains a head for a model and its weights."""
    model, pretrained = ("...", "...") if options is None else (options.model, options.pretrained)
    keys = f"--set reward.use=clip --set reward.model={model} --set reward.pretrained={pretrained}"
    return f"adversarl reward train RECIPE --detector clip {keys} --out head.safetensors"
