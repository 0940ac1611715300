"""The reward detector ``goal-image``: how near the picture has come to pictures of the goal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl.interfaces.reward import RewardDetector, RewardOptions, Score, Step
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.goal_pictures import SIZE, Goal, load
from adversarl_odyssey.sources import fit

CHANGED = 40
"""What differs by more between the beginning and the goal belongs to the goal [of 255]."""
CUT = 10
"""Percent of the changed pixels that lie beyond each edge of what is looked for."""
MARGIN = SIZE // 8
"""Edge of a goal picture that is not looked for, so that it may lie elsewhere [pixel]."""


class GoalImageOptions(RewardOptions):
    """Keys of the detector."""

    goal: str | None = Field(
        None,
        description="A picture or a video of the solved task, or a folder of them; of a video its end counts. The "
        "backend `odyssey` can do without: it asks the world model for a video.",
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="The task counts as solved below this share of the distance at the start [1]."
    )
    hold: int = Field(3, ge=1, description="For so many pictures on end it must be below [control steps].")
    bonus: float = Field(2.0, ge=0, description="Paid when the task is solved [1].")


class GoalImage(RewardDetector):
    """Pays for coming nearer to the nearest goal, as a share of the distance at the episode's start.

    Of a goal only the part is looked for that the task changes, at its likeliest place in the picture, so that things
    may lie elsewhere than they did in the goal. Distance is 1 - c with the correlation coefficient c of the pixels,
    mean and contrast apart (Lewis, "Fast normalized cross-correlation", 1995). It compares pixels, not what they mean.

    Where nobody calls `begin`, an environment's first picture stands for the start. Without a goal no episode can
    begin, and nothing is worth anything.
    """

    Options: ClassVar[type[RewardOptions]] = GoalImageOptions
    options: GoalImageOptions

    def __init__(self, options: RewardOptions) -> None:
        super().__init__(options)
        self._templates: list[NDArray[np.float32]] = []
        self._start, self._last, self._held = np.zeros(0), np.zeros(0), np.zeros(0, np.int64)
        if self.options.goal is not None:
            self.show_goals(load(Path(self.options.goal)))

    @property
    def knows_goal(self) -> bool:
        """Whether it has anything to look for."""
        return bool(self._templates)

    def show_goals(self, goals: Sequence[Goal]) -> None:
        """Says what the solved task looks like."""
        self._templates = [template(picture, goal.before) for goal in goals for picture in goal.pictures]

    def distance(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Distance of each picture to the nearest goal, in [0, 2]. Shape (n,).

        Raises:
            OdysseyError: It was told no goal.
        """
        if not self._templates:
            raise OdysseyError("goal-image has no goal", 'Set goal = "PATH" beside use = "goal-image".')
        return np.array([self._apart(frame) for frame in frames], np.float64)

    def _apart(self, frame: NDArray[np.uint8]) -> float:
        import cv2

        picture = fit(frame, SIZE).astype(np.float32)
        found = [float(cv2.matchTemplate(picture, part, cv2.TM_CCOEFF_NORMED).max()) for part in self._templates]
        return 1.0 - max(min(one, 1.0) for one in found)

    def begin(self, frames: NDArray[np.uint8], starting: NDArray[np.bool_], task: str = "") -> None:
        """Episodes begin with these pictures. Shapes (num_envs, H, W, 3) and (num_envs,)."""
        del task
        self._make_room(len(frames))
        self._start[starting] = self._last[starting] = self.distance(frames[starting])
        self._held[starting] = 0

    def score(self, step: Step) -> Score:
        """The share of the way that was covered since the last picture, and `bonus` for a solved task."""
        self._make_room(len(step.frames))
        if not self.knows_goal:
            return Score(np.zeros(len(step.frames)), np.zeros(len(step.frames), bool))
        now = self.distance(step.frames)
        first = np.isnan(self._start)
        self._start[first] = self._last[first] = now[first]
        last, scale = self._last, np.maximum(self._start, 1e-3)
        self._held = np.where(now < self.options.threshold * scale, self._held + 1, 0)
        self._last = now
        success = self._held >= self.options.hold
        return Score((last - now) / scale + self.options.bonus * success, success)

    def _make_room(self, count: int) -> None:
        if len(self._start) != count:
            self._start, self._last = np.full(count, np.nan), np.full(count, np.nan)
            self._held = np.zeros(count, np.int64)

    def state_dict(self) -> dict[str, Any]:
        """Distances at the start and now, and what is looked for."""
        arrays = {"start": self._start, "last": self._last, "held": self._held}
        return {"templates": self._templates, **{k: v.copy() for k, v in arrays.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self._templates = state["templates"]
        self._start, self._last, self._held = state["start"], state["last"], state["held"]


def template(goal: NDArray[np.uint8], before: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    """The part of a goal picture that is looked for: what was changed, or its middle where that is not known.

    Args:
        goal: Shape (SIZE, SIZE, 3).
        before: What it looked like before the task was done. Shape (SIZE, SIZE, 3).
    """
    top, bottom, left, right = MARGIN, SIZE - MARGIN, MARGIN, SIZE - MARGIN
    if before is not None:
        rows, columns = np.nonzero(np.abs(goal.astype(np.int16) - before).max(axis=2) > CHANGED)
        if len(rows) > SIZE:  # fewer pixels than an edge are noise
            ends = [np.percentile(places, (CUT, 100 - CUT)) for places in (rows, columns)]
            (top, bottom), (left, right) = ((int(low), int(high) + 1) for low, high in ends)
    return goal[top:bottom, left:right].astype(np.float32)
