"""A simulated world before the videos of a bank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Observation, PerturbableVectorEnv, Seeds, reset_seeds
from adversarl_odyssey.bank.source import BankSource
from adversarl_odyssey.bank.store import Bank
from adversarl_odyssey.bank.words import BankWording, complete
from adversarl_odyssey.batch import BatchOptions
from adversarl_odyssey.composed import ComposedVectorEnv
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.inner import make_inner


class BatchVectorEnv(ComposedVectorEnv):
    """A `ComposedVectorEnv` whose pictures depend on seed, conditions and time alone.

    Args:
        inner: The world inside.
        source: The videos.
        wording: Words that there are videos for.
        options: Scene, and whether videos cover the table.
    """

    def __init__(
        self, inner: PerturbableVectorEnv, source: BankSource, wording: BankWording, options: BatchOptions
    ) -> None:
        super().__init__(inner, source, wording, options.scene, table=options.around == "table")
        self._bank_source, self._bank_wording = source, wording

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Starts episodes, each at a place of its video that its seed decides."""
        seeds = reset_seeds(seed, self.num_envs)
        mask = (options or {}).get("reset_mask")
        for env in range(self.num_envs) if mask is None else np.flatnonzero(mask).tolist():
            self._bank_source.rewound(env, seeds[env])
        return super().reset(seed=seed, options=options)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Acts in the world inside; the videos go on by one control step."""
        self._bank_source.advance()
        return super().step(actions)

    def scalars(self) -> dict[str, float]:
        """What both measure, and how often the weakest conditions were left out."""
        return {**super().scalars(), "odyssey/left_out": float(self._bank_wording.left_out)}


def make_world(options: BatchOptions, *, seed: int, num_envs: int | None) -> BatchVectorEnv:
    """The world of `Batch`.

    Raises:
        OdysseyError: There is no bank, or it lacks the nominal video.
    """
    bank = Bank(Path(options.bank))
    if bank.find(complete(options.scene, ""), portrait=options.portrait) is None:
        problem = f"the bank {bank.folder} has no video of the scene"
        raise OdysseyError(problem, f"Make it with: adversarl odyssey bank RECIPE --out {bank.folder}")
    inner = make_inner(options, seed=seed, num_envs=num_envs)
    try:
        source = BankSource(bank, inner.num_envs, _size(inner), seed, options)
        wording = BankWording(bank, options.scene, portrait=options.portrait, missing=options.missing)
        return BatchVectorEnv(inner, source, wording, options)
    except BaseException:
        inner.close()
        raise


def _size(world: PerturbableVectorEnv) -> int:
    """Edge of the world's pictures [pixel]."""
    space: Any = world.single_observation_space
    return int(space["image"].shape[0])
