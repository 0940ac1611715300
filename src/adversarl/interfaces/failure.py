"""Failure classifiers: which conditions make the policy fail, and how sure are we."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from adversarl.interfaces.trials import Services, Trace
from adversarl.types import Axis, Episode, FailureReport


class FailureOptions(BaseModel):
    """Keys that every ``[failure]`` table has."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    report_every: int = Field(20, ge=1, description="Finished episodes between two reports.")


class FailureClassifier(ABC):
    """Watches episodes and explains failures.

    The closed loop calls it so::

        failure.connect(services)                # once, before training
        for episode in finished:
            failure.watch(episode, trace)        # only where `traces` is true
            failure.observe(episode)
        if enough_new_episodes:
            report = failure.report()
        failure.close()
    """

    Options: ClassVar[type[FailureOptions]] = FailureOptions
    traces: bool = False
    """Whether it wants to `watch` how episodes went."""

    def __init__(self, options: FailureOptions, axes: Sequence[Axis]) -> None:
        self.options = options
        self.axes = tuple(axes)

    def connect(self, services: Services) -> None:
        """Takes what the run offers, such as trials of its policy."""
        del services

    def watch(self, episode: Episode, trace: Trace) -> None:
        """Looks at how a finished episode of training went, just before it is observed."""
        del episode, trace

    def scalars(self) -> dict[str, float]:
        """What trackers should plot, such as what it has cost."""
        return {}

    def close(self) -> None:
        """Releases what it holds, such as threads."""
        return

    @abstractmethod
    def observe(self, episode: Episode) -> None:
        """Takes note of a finished episode."""

    @abstractmethod
    def report(self) -> FailureReport:
        """Says what is known now."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """All that must be kept for an exact resume; JSON-ready."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
