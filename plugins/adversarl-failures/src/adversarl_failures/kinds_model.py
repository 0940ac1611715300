"""The learnt model of kinds of failure: its network, its fit and its file; nothing else here imports PyTorch."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from adversarl_failures.kinds_errors import KindModelError
from adversarl_failures.kinds_evidence import MOMENTS, Evidence, Examples

FORMAT = 1
BATCH = 64
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-3
SEEN = 64
"""Numbers that are left of a picture."""
TELLING = 1.0
"""Weight of telling the privileged state in the loss."""
JITTER = 0.2
"""Largest change of a training picture's brightness, and of each of its colours' gain [1]."""
OnEpoch = Callable[[int, float], None]


class Network(nn.Module):
    """Three convolutions over the last picture, two over time, and two layers that decide."""

    mean: Tensor
    """Of proprioception in training. Shape (p,)."""
    scale: Tensor
    """Its standard deviation. Shape (p,)."""

    def __init__(self, kinds: int, image_size: int, proprio_size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(proprio_size))
        self.register_buffer("scale", torch.ones(proprio_size))
        convolutions = [
            layer
            for channels, kernel in zip(((3, 16), (16, 32), (32, 32)), (5, 3, 3), strict=True)
            for layer in (nn.Conv2d(*channels, kernel, stride=2, padding=kernel // 2), nn.ReLU())
        ]
        edge = -(-image_size // 8)
        self.see = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(32 * edge * edge, SEEN), nn.ReLU())
        self.feel = nn.Sequential(
            nn.Conv1d(proprio_size, 32, 5, padding=2), nn.ReLU(), nn.Conv1d(32, 32, 5, stride=2, padding=2), nn.ReLU()
        )
        self.decide = nn.Sequential(
            nn.Linear(SEEN + 32 * MOMENTS // 2, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, kinds)
        )

    def forward(self, pictures: Tensor, courses: Tensor) -> Tensor:
        """Logits. Shape (n, kinds).

        Args:
            pictures: In [0, 1]. Shape (n, 3, H, W).
            courses: Proprioception. Shape (n, MOMENTS, p).
        """
        return self.judge(self.see(pictures - 0.5), courses)

    def judge(self, seen: Tensor, courses: Tensor) -> Tensor:
        """Logits from what `see` gave. Shape (n, kinds)."""
        felt = self.feel(((courses - self.mean) / self.scale).transpose(1, 2)).flatten(1)
        logits: Tensor = self.decide(torch.cat([seen, felt], dim=1))
        return logits


@dataclass(frozen=True, slots=True)
class KindModel:
    """A trained network and what must be known of it.

    Attributes:
        network: The network.
        kinds: Names of its outputs.
        task: The task it was trained on, in English.
        image_size: Edge of its pictures [pixel].
        proprio_size: Numbers of proprioception.
        temperature: What its logits are divided by, so that its confidence is its accuracy (Guo et al. 2017).
        figures: What was measured after training; JSON-ready.
    """

    network: Network
    kinds: tuple[str, ...]
    task: str
    image_size: int
    proprio_size: int
    temperature: float
    figures: Mapping[str, Any]

    def probabilities(self, evidence: Evidence) -> NDArray[np.float64]:
        """Of each kind for each episode. Shape (n, kinds)."""
        logits = _logits(self.network, evidence).double() / self.temperature
        result: NDArray[np.float64] = functional.softmax(logits, dim=1).numpy()
        return result

    def save(self, path: Path) -> None:
        """Writes the model into one file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        names = ("kinds", "task", "image_size", "proprio_size", "temperature", "figures")
        about = {name: getattr(self, name) for name in names} | {"kinds": list(self.kinds)}
        torch.save({"format": FORMAT, "weights": self.network.state_dict(), **about}, path)


def load(path: Path) -> KindModel:
    """Reads a model back.

    Raises:
        KindModelError: There is no such file, or it holds something else.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        if held["format"] != FORMAT:
            raise KindModelError(path, f"has format {held['format']}, this version reads {FORMAT}")
        with torch.random.fork_rng(devices=[]):  # first weights are drawn from the generator that training resumes with
            network = Network(len(held["kinds"]), held["image_size"], held["proprio_size"])
        network.load_state_dict(held["weights"])
        about = {key: value for key, value in held.items() if key not in ("format", "weights", "kinds")}
        model = KindModel(network, tuple(held["kinds"]), **about)
    except FileNotFoundError:
        raise KindModelError(path, "there is no such file") from None
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError):
        raise KindModelError(path, "is no model of kinds of failure") from None
    network.eval()
    return model


def fit(
    training: Examples,
    validation: Examples,
    kinds: int,
    *,
    epochs: int,
    seed: int,
    on_epoch: OnEpoch = lambda epoch, loss: None,
) -> tuple[Network, float]:
    """Trains a network with Adam, rare kinds weighing as much as frequent ones, and calibrates it.

    What it sees is also taught to tell the privileged state, a task that needs no more than the simulator and that
    later use does without: failures are few, and a kind says little about a picture. The weights of the epoch with the
    lowest validation loss are kept.

    Args:
        training: What weights are fitted to.
        validation: What the epoch and the temperature are chosen by.
        kinds: How many kinds there are.
        epochs: Passes over the training episodes.
        seed: Of first weights, order, dropout and jitter.
        on_epoch: Called with the number of epochs done and the validation loss [nat].

    Returns:
        The network, and its temperature.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _fresh(training.evidence, kinds)
        trainer = _Trainer(network, training, kinds, epochs)
        best, kept = float("inf"), _copy(network)
        for epoch in range(epochs):
            trainer.epoch()
            logits = _logits(network, validation.evidence)
            loss = float(functional.cross_entropy(logits, torch.from_numpy(validation.labels)))
            if loss < best:
                best, kept = loss, _copy(network)
            on_epoch(epoch + 1, loss)
    network.load_state_dict(kept)
    network.eval()
    return network, _temperature(_logits(network, validation.evidence), torch.from_numpy(validation.labels))


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _fresh(evidence: Evidence, kinds: int) -> Network:
    """Made after a seed was set; it knows mean and spread of its proprioception."""
    courses = torch.from_numpy(evidence.courses)
    network = Network(kinds, evidence.frames.shape[1], courses.shape[2])
    flat = courses.flatten(0, 1)
    network.load_state_dict(network.state_dict() | {"mean": flat.mean(dim=0), "scale": flat.std(dim=0).clamp(min=1e-3)})
    return network


class _Trainer:
    """Passes over the training episodes."""

    def __init__(self, network: Network, training: Examples, kinds: int, epochs: int) -> None:
        self.network, self.evidence = network, training.evidence
        self.labels = torch.from_numpy(training.labels)
        counts = np.maximum(np.bincount(training.labels, minlength=kinds), 1)
        self.weights = torch.from_numpy(len(training) / (kinds * counts)).float()
        """Of each kind: inverse to how frequent it is, 1 on average over the episodes."""
        states = torch.from_numpy(training.states)
        self.states = (states - states.mean(dim=0)) / states.std(dim=0).clamp(min=1e-3)
        self.tell = nn.Linear(SEEN, states.shape[1])
        weights = [*network.parameters(), *self.tell.parameters()]
        self.optimizer = torch.optim.AdamW(weights, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, epochs)

    def epoch(self) -> None:
        """One pass."""
        self.network.train()
        for rows in torch.split(torch.randperm(len(self.labels)), BATCH):
            pictures, courses = _tensors(self.evidence.rows(rows.numpy()))
            seen = self.network.see(_jittered(pictures) - 0.5)
            logits = self.network.judge(seen, courses)
            loss = functional.cross_entropy(logits, self.labels[rows], self.weights)
            loss = loss + TELLING * functional.smooth_l1_loss(self.tell(seen), self.states[rows])
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        self.schedule.step()
        self.network.eval()


def _jittered(pictures: Tensor) -> Tensor:
    """Other brightness and colours. Shape (n, 3, H, W)."""
    gain = 1 + JITTER * (2 * torch.rand(len(pictures), 3, 1, 1) - 1)
    shift = JITTER * (2 * torch.rand(len(pictures), 1, 1, 1) - 1)
    return (gain * pictures + shift).clamp(0, 1)


def _tensors(evidence: Evidence) -> tuple[Tensor, Tensor]:
    pictures = torch.from_numpy(evidence.frames).permute(0, 3, 1, 2).float() / 255
    return pictures, torch.from_numpy(evidence.courses)


@torch.no_grad()
def _logits(network: Network, evidence: Evidence) -> Tensor:
    """Of a network that is not in training. Shape (n, kinds)."""
    parts = [np.arange(first, min(first + BATCH, len(evidence))) for first in range(0, len(evidence), BATCH)]
    return torch.cat([network(*_tensors(evidence.rows(rows))) for rows in parts])


def _temperature(logits: Tensor, labels: Tensor) -> float:
    """The divisor of the logits under which the labels are likeliest (Guo et al. 2017, section 4.2), in [0.05, 20]."""
    grid = torch.logspace(np.log10(0.05), np.log10(20.0), 601)
    losses = [float(functional.cross_entropy(logits / temperature, labels)) for temperature in grid]
    return float(grid[int(np.argmin(losses))])
