"""Trackers: where metrics go."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class TrackerOptions(BaseModel):
    """Keys that every ``[tracking.NAME]`` table has."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tracker:
    """An object that implements lifecycle hooks of `adversarl.hooks`; it is registered while a run lasts.

    The run does so::

        pm.register(TensorBoard(TensorBoard.Options(), folder))
        pm.hook.adversarl_scalars(step=env_steps, scalars={"rollout/success_rate": 0.4})

    Methods carry `adversarl.hookimpl`. A tracker that fails is reported and never stops training.
    """

    Options: ClassVar[type[TrackerOptions]] = TrackerOptions

    def __init__(self, options: TrackerOptions, folder: Path) -> None:
        self.options = options
        self.folder = folder
