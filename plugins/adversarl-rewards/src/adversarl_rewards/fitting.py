"""How a network learns success from labelled pictures, and how sure it may be of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from adversarl.labelled import LabelledFrames
from adversarl_rewards.augment import augmented
from adversarl_rewards.network import Model, Network, as_input, quicken, shrunk

BATCH = 128
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-2
PROGRESS = 4.0
"""Weight of progress in the loss: it tells what success is made of."""
PRECISION = 0.98
"""What `recommended` asks for."""
OnBatch = Callable[[int, int], None]


def fit_network(
    training: LabelledFrames, validation: LabelledFrames, *, size: int, epochs: int, seed: int, on_batch: OnBatch
) -> Model:
    """Trains a network with AdamW under one cycle of learning rates, calibrates it and chooses a threshold.

    Solved and unsolved pictures weigh the same. Neither weights nor the order depend on the global generator, nor
    does it notice.

    Args:
        training: To fit weights to.
        validation: To choose temperature and threshold by; of other episodes.
        size: Edge of the network's pictures [pixel].
        epochs: Passes over the training pictures.
        seed: Of first weights, order, dropout and augmentation.
        on_batch: Called with (batches done, batches).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = quicken(Network(size))
        trainer = _Trainer(network, training, size, epochs)
        while trainer.done < trainer.total:
            trainer.epoch(on_batch)
    network.eval()
    model = Model(network, training.task, size, 1.0, 0.5, {})
    logits = model.logits(validation.frames)[:, 0].double()
    truth = torch.from_numpy(validation.success)
    temperature = _temperature(logits, truth)
    threshold = recommended(torch.sigmoid(logits / temperature), truth)
    return Model(network, training.task, size, temperature, threshold, {})


class _Trainer:
    """Passes over the training pictures."""

    def __init__(self, network: Network, training: LabelledFrames, size: int, epochs: int) -> None:
        self.network, self.size = network, size
        self.frames = shrunk(training.frames, size)
        self.success = torch.from_numpy(training.success).float()
        self.progress = torch.from_numpy(training.progress)
        share = float(self.success.mean().clamp(1e-3, 1 - 1e-3))
        self.weights = torch.where(self.success > 0, 0.5 / share, 0.5 / (1 - share))
        self.done, self.total = 0, epochs * -(-len(training) // BATCH)
        self.optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, LEARNING_RATE, total_steps=self.total, pct_start=0.15
        )

    def epoch(self, on_batch: OnBatch) -> None:
        """One pass."""
        self.network.train()
        for rows in torch.split(torch.randperm(len(self.frames)), BATCH):
            pictures = augmented(as_input(self.frames[rows.numpy()], self.size))
            loss = self._loss(self.network(pictures.contiguous(memory_format=torch.channels_last)), rows)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.schedule.step()
            self.done += 1
            on_batch(self.done, self.total)

    def _loss(self, told: Tensor, rows: Tensor) -> Tensor:
        success, progress = told.unbind(1)
        right = functional.binary_cross_entropy_with_logits(success, self.success[rows], self.weights[rows])
        known = ~self.progress[rows].isnan()
        gap = torch.sigmoid(progress[known]) - self.progress[rows][known]
        return right + PROGRESS * gap.square().mean() if known.any() else right


def _temperature(logits: Tensor, truth: Tensor) -> float:
    """The divisor of the logits under which the labels are likeliest, in [0.05, 20]."""
    grid = torch.logspace(np.log10(0.05), np.log10(20.0), 401, dtype=torch.float64)
    losses = [float(functional.binary_cross_entropy_with_logits(logits / t, truth.double())) for t in grid]
    return float(grid[int(np.argmin(losses))])


def recommended(probability: Tensor, truth: Tensor) -> float:
    """The lowest threshold, at least 0.5, from which on `PRECISION` of the pictures that say yes are solved.

    Args:
        probability: Of success. Shape (n,).
        truth: bool. Shape (n,).
    """
    for threshold in np.arange(0.5, 0.99, 0.01):
        yes = probability >= threshold
        if yes.any() and float(truth[yes].double().mean()) >= PRECISION:
            return round(float(threshold), 2)
    return 0.99
