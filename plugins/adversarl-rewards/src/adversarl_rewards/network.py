"""The network that sees success, and the file that it is kept in."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from adversarl_rewards.errors import ModelError

FORMAT = 1
CHANNELS = (16, 32, 64, 64)
HIDDEN = 96
BATCH = 256


class Network(nn.Module):
    """Four convolutions, each of stride 2, and two layers that tell success and progress.

    Args:
        size: Edge of its pictures [pixel].
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *CHANNELS), CHANNELS, strict=False):
            kernel = 3 if layers else 5
            layers += [nn.Conv2d(before, after, kernel, 2, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            size = -(-size // 2)
        self.see = nn.Sequential(*layers, nn.Flatten())
        self.tell = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(CHANNELS[-1] * size * size, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits of success, and of progress. Shape (n, 2).

        Every picture is brought to mean 0 and standard deviation 1, so that it matters little how light it is.

        Args:
            pictures: In [0, 1]. Shape (n, 3, size, size).
        """
        mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
        pictures = pictures - mean
        deviation = pictures.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        told: Tensor = self.tell(self.see(pictures / (deviation + 0.02)))
        return told


def quicken(network: Network) -> Network:
    """Lays its weights out as a CPU convolves fastest."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def as_input(frames: NDArray[np.uint8], size: int) -> Tensor:
    """Pictures as a network wants them, in [0, 1]; others than square ones are squeezed. Shape (n, 3, size, size).

    Args:
        frames: uint8. Shape (n, H, W, 3).
        size: Edge [pixel].
    """
    pictures = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
    if tuple(pictures.shape[2:]) == (size, size):
        return pictures
    if min(pictures.shape[2:]) < size:
        return functional.interpolate(pictures, (size, size), mode="bilinear", align_corners=False, antialias=True)
    return functional.interpolate(pictures, (size, size), mode="area")


def shrunk(frames: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Pictures of the size that `as_input` would give them. Shape (n, size, size, 3)."""
    parts = [as_input(frames[first : first + BATCH], size) for first in range(0, len(frames), BATCH)]
    return np.concatenate([(255 * part).round().to(torch.uint8).permute(0, 2, 3, 1).numpy() for part in parts])


@dataclass(frozen=True, slots=True)
class Model:
    """A trained network and what must be known of it.

    Attributes:
        network: The network.
        task: The task it was trained on, in English.
        size: Edge of its pictures [pixel].
        temperature: What its logits of success are divided by, so that its confidence is its accuracy (Guo et al.,
            "On Calibration of Modern Neural Networks", 2017).
        threshold: Probability from which on it is nearly always right to say yes; see `fitting.recommended`.
        about: What it was trained on and what it is worth; JSON-ready.
    """

    network: Network
    task: str
    size: int
    temperature: float
    threshold: float
    about: Mapping[str, Any]

    def logits(self, frames: NDArray[np.uint8]) -> Tensor:
        """Of success, before calibration, and of progress. Shape (n, 2).

        Args:
            frames: uint8. Shape (n, H, W, 3).
        """
        with torch.inference_mode():
            parts = [frames[first : first + BATCH] for first in range(0, len(frames), BATCH)]
            return torch.cat([self.network(as_input(part, self.size)) for part in parts] or [torch.zeros(0, 2)])

    def judge(self, frames: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Probability of success and progress, each in [0, 1]. Shapes (n,)."""
        success, progress = self.logits(frames).double().unbind(1)
        return torch.sigmoid(success / self.temperature).numpy(), torch.sigmoid(progress).numpy()

    def save(self, path: Path) -> None:
        """Writes the model into one file, its weights as float16; what was there is replaced at the very end."""
        about = {name: getattr(self, name) for name in ("task", "size", "temperature", "threshold")}
        weights = {
            name: value.half() if value.is_floating_point() else value
            for name, value in self.network.state_dict().items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        torch.save({"format": FORMAT, "weights": weights, "about": dict(self.about), **about}, partial)
        os.replace(partial, path)

    def noted(self, about: Mapping[str, Any]) -> Model:
        """The same that knows more about itself."""
        return replace(self, about={**self.about, **about})


def load(path: Path) -> Model:
    """Reads a model back.

    Raises:
        ModelError: There is no such file, or it holds something else.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        if held["format"] != FORMAT:
            raise ModelError(path, f"has format {held['format']}, this version reads {FORMAT}")
        with torch.random.fork_rng(devices=[]):  # first weights are drawn from the generator that runs resume with
            network = Network(held["size"])
        network.load_state_dict({name: value.float() if value.is_floating_point() else value
                                 for name, value in held["weights"].items()})  # fmt: skip
        model = Model(network, *(held[name] for name in ("task", "size", "temperature", "threshold", "about")))
    except FileNotFoundError:
        raise ModelError(path, "there is no such file") from None
    except (
        OSError,
        RuntimeError,
        pickle.UnpicklingError,
        EOFError,
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
    ):
        raise ModelError(path, "is no model of this detector") from None
    quicken(network.eval())
    return model
