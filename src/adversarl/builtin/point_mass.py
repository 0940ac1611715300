"""Backend ``point-mass``: a dot in a square arena, to be moved onto a goal that only the camera sees."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from adversarl.interfaces.backend import Backend, BackendOptions, PerturbableVectorEnv


class PointMassOptions(BackendOptions):
    """Options of `PointMass`."""

    image_size: int = Field(32, ge=8, le=256, description="Height and width of the picture [px].")
    max_episode_steps: int = Field(60, ge=1, description="Time limit [control steps], at 10 Hz.")


class PointMass(Backend):
    """Makes `PointMassWorld`."""

    Options: ClassVar[type[PointMassOptions]] = PointMassOptions
    options: PointMassOptions

    def make(self, *, seed: int, num_envs: int | None = None) -> PerturbableVectorEnv:
        """Makes the environments."""
        from adversarl.builtin.point_mass_world import PointMassWorld

        return PointMassWorld(
            num_envs or self.options.num_envs,
            seed=seed,
            image_size=self.options.image_size,
            max_episode_steps=self.options.max_episode_steps,
        )
