"""Named randomness: one root seed, one generator per component, never a global one."""

from __future__ import annotations

from zlib import crc32

import numpy as np

TRAINING_SEEDS = 2**31
"""Training episodes are reset with seeds in [0, 2**31); evaluation uses [2**31, 2**32)."""


def sequence(seed: int, *names: str | int) -> np.random.SeedSequence:
    """A seed sequence that depends on the root seed and on a path of names alone."""
    return np.random.SeedSequence([seed, *(crc32(str(name).encode()) for name in names)])


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """The generator of a named component; the same names and seed give the same numbers."""
    return np.random.default_rng(sequence(seed, *names))
