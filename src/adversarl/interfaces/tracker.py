"""Trackers: where metrics go."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

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


class Guarded:
    """A tracker's hooks as the run registers them: what one raises is reported, once a hook, and goes no further.

    Args:
        tracker: The tracker.
        report: Called with what happened.
    """

    def __init__(self, tracker: Tracker, report: Callable[[str], None]) -> None:
        told: set[str] = set()  # an exception while reporting ends there
        for name in dir(type(tracker)):
            if hasattr(getattr(type(tracker), name), "adversarl_impl"):
                setattr(self, name, _guard(getattr(tracker, name), told, report))


def _guard(method: Callable[..., Any], told: set[str], report: Callable[[str], None]) -> Callable[..., None]:
    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            method(*args, **kwargs)
        except Exception as error:
            if method.__name__ not in told:
                told.add(method.__name__)
                report(f"{method.__name__}: {type(error).__name__}: {error}. Training goes on without it")

    return call
