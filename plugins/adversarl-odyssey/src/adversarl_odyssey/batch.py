"""The backend ``odyssey-batch``: simulated physics before videos that were made beforehand."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from adversarl.interfaces.backend import Backend, BackendOptions, PerturbableVectorEnv
from adversarl_odyssey.bank.plan import LEVELS, SECONDS
from adversarl_odyssey.bank.words import Missing
from adversarl_odyssey.hybrid import HybridOptions
from adversarl_odyssey.inner import InnerOptions
from adversarl_odyssey.options import ServiceOptions


class BatchOptions(ServiceOptions, InnerOptions):
    """Keys of ``[backend]`` with ``use = "odyssey-batch"``; those of the service serve ``adversarl odyssey bank``."""

    num_envs: int = Field(8, ge=1, le=4096, description="Number of parallel environments.")
    scene: str = Field(
        str(HybridOptions.model_fields["scene"].default),
        min_length=1,
        description="The prompt that every video starts with; the robot and the things stand before it.",
    )
    bank: str = Field("bank", min_length=1, description="Folder of videos that `adversarl odyssey bank` made.")
    levels: tuple[float, ...] = Field(
        LEVELS, min_length=1, description="Intensities in (0, 1] that the bank is made for; others are rounded to them."
    )
    seconds: float = Field(SECONDS, ge=1, le=600, description="Length of each video that is made [s].")
    start: Literal["seed"] | int = Field(
        "seed",
        description="Where in a video an episode begins: drawn from its seed, or always at this control step (1/20 s).",
    )
    missing: Missing = Field(
        "error",
        description="What is shown where the bank lacks a video: error (the run stops and says how to make it), fewer "
        "(the weakest conditions are left out until there is one) or nominal (that of the undisturbed world).",
    )
    around: Literal["behind", "table"] = Field(
        "behind",
        description="What videos show: all that is behind the table (behind), or the table top as well (table).",
    )
    memory_mb: int = Field(512, ge=16, description="Memory for decoded videos, in each process [MiB].")

    @field_validator("levels")
    @classmethod
    def _sorted(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 < level <= 1 for level in value):
            raise ValueError("write intensities above 0 and up to 1, such as [0.5, 1.0]")
        return tuple(sorted(set(value)))


class Batch(Backend):
    """MuJoCo, or another simulator, before videos of a bank; exact, repeatable, and without a network."""

    Options: ClassVar[type[BackendOptions]] = BatchOptions
    options: BatchOptions

    def make(self, *, seed: int, num_envs: int | None = None) -> PerturbableVectorEnv:
        """Makes the environments; see `adversarl.interfaces.Backend.make`.

        Raises:
            OdysseyError: There is no bank, or it lacks the nominal video.
        """
        from adversarl_odyssey.batch_world import make_world

        return make_world(self.options, seed=seed, num_envs=num_envs)
