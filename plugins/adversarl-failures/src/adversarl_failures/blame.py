"""What the classifiers share that blame conditions: the windows they look at, and what they say besides."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, ClassVar

from pydantic import Field, model_validator

from adversarl.interfaces.failure import FailureClassifier, FailureOptions
from adversarl.metrics import rate
from adversarl.types import Axis, Episode, FailureMode, FailureReport
from adversarl_failures.change import ChangeDetector
from adversarl_failures.history import History, Table


class BlameOptions(FailureOptions):
    """Keys of ``[failure]`` tables whose component blames conditions."""

    window: int = Field(800, ge=20, description="Most recent episodes that failure modes are looked for in.")
    rolling: int = Field(100, ge=1, description="Most recent episodes, and clean episodes, of the rolling success.")
    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="Probability that a report blames anything where no condition matters."
    )
    max_modes: int = Field(6, ge=1, description="Most failure modes of a report.")
    change_episodes: int = Field(50, ge=10, description="Newest episodes compared with those before to find a change.")
    change_alpha: float = Field(0.002, gt=0, lt=0.5, description="Share of reports that find a change where none is.")

    @model_validator(mode="after")
    def _within_the_window(self) -> BlameOptions:
        if max(self.rolling, 2 * self.change_episodes) > self.window:
            raise ValueError("window must hold rolling, and change_episodes twice. Raise window, or lower those")
        return self


class Blames(FailureClassifier):
    """Counts episodes of training in a window, and reports the conditions that `_modes` blames."""

    Options: ClassVar[type[FailureOptions]] = BlameOptions
    options: BlameOptions

    def __init__(self, options: BlameOptions, axes: Sequence[Axis]) -> None:
        super().__init__(options, axes)
        self.episodes = 0
        self._history = History(self.axes, options.window)
        self._clean: deque[bool] = deque(maxlen=options.rolling)
        self._change = ChangeDetector(options.change_episodes, NormalDist().inv_cdf(1 - options.change_alpha / 2))

    def observe(self, episode: Episode) -> None:
        """Takes note of a finished episode of training."""
        if episode.phase != "train":
            return
        self.episodes += 1
        self._history.add(episode)
        self._change.add()
        if episode.clean:
            self._clean.append(episode.success)

    def report(self) -> FailureReport:
        """Success, nominal success (of clean episodes), failure modes, and whether success has changed."""
        outcomes = self._history.outcomes()
        return FailureReport(
            episodes=self.episodes,
            success=rate(outcomes[-self.options.rolling :]),
            nominal=rate(list(self._clean)),
            modes=self._modes(self._history.table()),
            changed=self._change.changed(outcomes),
        )

    @abstractmethod
    def _modes(self, table: Table) -> tuple[FailureMode, ...]:
        """The conditions blamed, worst first."""

    def state_dict(self) -> dict[str, Any]:
        """The windows and counters; JSON-ready."""
        return {
            "episodes": self.episodes,
            "history": self._history.state_dict(),
            "clean": list(self._clean),
            "since_change": self._change.since,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.episodes = state["episodes"]
        self._history.load_state_dict(state["history"])
        self._clean = deque(state["clean"], maxlen=self.options.rolling)
        self._change.since = state["since_change"]
