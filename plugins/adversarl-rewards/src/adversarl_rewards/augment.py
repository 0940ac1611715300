"""Changes of pictures that leave what they show: what a detector learns from must not be one simulator's look."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SHIFT, ZOOM, TURN = 0.08, 0.12, 0.08
"""Largest shift [share of the edge], zoom [1] and turn [rad]."""
GAIN, OFFSET = 0.4, 0.25
"""Largest change of a channel's gain, and offset [1]."""
SHARE = 0.25
"""Of the pictures that each of the stronger changes befalls [1]."""


def augmented(pictures: Tensor) -> Tensor:
    """Moved, recolored, and some of them seen through a random convolution, a veil, an overlay, a patch or a blur.

    Random convolutions are those of Lee et al. ("Network Randomization", 2020), overlays those of Hansen and Wang
    ("Generalization in Reinforcement Learning by Soft Data Augmentation", 2021), with other pictures of the batch.

    Args:
        pictures: In [0, 1]. Shape (n, 3, size, size).
    """
    pictures = recolored(moved(pictures))
    for change in (convolved, overlaid, veiled, blurred, patched):
        chosen = torch.rand(len(pictures)) < SHARE
        if chosen.any():
            pictures[chosen] = change(pictures[chosen])
    return pictures.clamp_(0, 1)


def moved(pictures: Tensor) -> Tensor:
    """Shifted, zoomed and turned a little, the edge repeated."""
    n = len(pictures)
    turn, zoom = TURN * _spread(n), 1 + ZOOM * _spread(n)
    rows = torch.stack([zoom * turn.cos(), -zoom * turn.sin(), 2 * SHIFT * _spread(n)], 1)
    columns = torch.stack([zoom * turn.sin(), zoom * turn.cos(), 2 * SHIFT * _spread(n)], 1)
    grid = functional.affine_grid(torch.stack([rows, columns], 1), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def recolored(pictures: Tensor) -> Tensor:
    """Other gains and offsets of the channels, some less saturated, or with channels that changed places."""
    n = len(pictures)
    grey = pictures.mean(dim=1, keepdim=True)
    pictures = torch.lerp(grey, pictures, 1 + 0.5 * _spread(n, 1, 1, 1).clamp(max=0.6))
    swapped = torch.rand(n) < SHARE
    order = torch.rand(n, 3).argsort(dim=1)
    order = torch.where(swapped[:, None], order, torch.arange(3))
    pictures = pictures.gather(1, order[:, :, None, None].expand_as(pictures))
    return pictures * (1 + GAIN * _spread(n, 3, 1, 1)) + OFFSET * _spread(n, 1, 1, 1)


def convolved(pictures: Tensor) -> Tensor:
    """Seen through a drawn 3 x 3 convolution, mixed with what they were."""
    weights = torch.randn(3, 3, 3, 3) / 27**0.5
    seen = functional.conv2d(functional.pad(pictures, (1, 1, 1, 1), mode="replicate"), weights) + 0.5
    return torch.lerp(pictures, seen, 0.7 * torch.rand(len(pictures), 1, 1, 1))


def overlaid(pictures: Tensor) -> Tensor:
    """Another picture of the batch, turned upside down, shines through."""
    others = pictures[torch.randperm(len(pictures))].flip(2)
    return torch.lerp(pictures, others, 0.35 * torch.rand(len(pictures), 1, 1, 1))


def veiled(pictures: Tensor) -> Tensor:
    """A color lies over everything, the more, the higher up: fog, glare and dirt."""
    n, size = len(pictures), pictures.shape[2]
    slope = torch.linspace(1, 0, size)[:, None]
    strength = (torch.rand(n, 1, 1, 1) * (0.4 + 0.6 * slope * torch.rand(n, 1, 1, 1))).clamp(max=0.8)
    return torch.lerp(pictures, torch.rand(n, 3, 1, 1).expand_as(pictures), strength)


def blurred(pictures: Tensor) -> Tensor:
    """Out of focus, and grainy."""
    soft = functional.avg_pool2d(functional.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return soft + 0.25 * torch.rand(len(pictures), 1, 1, 1) * (torch.rand_like(pictures) - 0.5)


def patched(pictures: Tensor) -> Tensor:
    """Small things of drawn colors lie about: up to four boxes each, and thin ones."""
    n, size = len(pictures), pictures.shape[2]
    at = torch.arange(size)
    pictures = pictures.clone()
    for _ in range(4):
        top, left = torch.randint(size, (2, n, 1))
        height, width = torch.randint(2, max(3, size // 8), (2, n, 1))
        there = ((at >= top) & (at < top + height))[:, None, :, None] & ((at >= left) & (at < left + width))[
            :, None, None, :
        ]
        pictures = torch.where(there, torch.rand(n, 3, 1, 1), pictures)
    return pictures


def _spread(*shape: int) -> Tensor:
    """From U[-1, 1]."""
    return 2 * torch.rand(*shape) - 1
