"""Reward detector ``ensemble``: several detectors, asked together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from adversarl.detection import FrameDetector, FrameOptions, Judgement
from adversarl.errors import RecipeError
from adversarl.interfaces.backend import Notice
from adversarl.interfaces.reward import MakePart, RewardOptions

Combine = Literal["mean", "median", "all"]
Values = NDArray[np.float64]


class Member(BaseModel):
    """A table that names a detector; the keys that are not listed here are that detector's."""

    model_config = ConfigDict(extra="allow", frozen=True)
    use: str = Field(description="Name of the detector.")
    weight: float = Field(1.0, gt=0, le=1000, description="Its weight in means and medians, relative to the others'.")

    @property
    def table(self) -> dict[str, Any]:
        """The detector's own table."""
        return {"use": self.use, **(self.model_extra or {})}


class EnsembleOptions(FrameOptions):
    """Options of `Ensemble`."""

    members: tuple[Member, ...] = Field(
        min_length=2,
        description='Tables such as { use = "classifier", weight = 2 }, whose other keys are those of the detector '
        "named; members may be ensembles again.",
    )
    combine: Combine = Field(
        "mean", description="Of the members' probabilities; all is the lowest: every member must say yes."
    )
    disagreement: float = Field(
        0.5, gt=0, le=1, description="Says nothing where members' probabilities spread by more than this [1]; 1: never."
    )

    @field_validator("members", mode="after")
    @classmethod
    def _own_keys(cls, members: tuple[Member, ...]) -> tuple[Member, ...]:
        for index, member in enumerate(members):
            for key in member.table:
                if key in FrameOptions.model_fields:
                    raise ValueError(f"{index}.{key} holds for all members together. Move it to the ensemble's table")
        return members


class Ensemble(FrameDetector):
    """Asks several detectors about each picture, and says nothing where they disagree.

    Members only judge pictures: cadence, delay, thresholds, patience and reward are the ensemble's, and a member's
    table that has such keys is refused. A member that abstains is left out; where all do, the ensemble does. With
    weights w of those that are left, probability and progress are ::

        mean      sum(w p) / sum(w)
        median    the p at which half of all weight lies below and half above
        all       min(p)

    The spread of trained members' verdicts is a usable measure of what a detector does not know (Lakshminarayanan et
    al., "Simple and scalable predictive uncertainty estimation using deep ensembles", 2017).
    """

    Options: ClassVar[type[RewardOptions]] = EnsembleOptions
    options: EnsembleOptions

    def __init__(self, options: RewardOptions) -> None:
        super().__init__(options)
        self.members: dict[str, FrameDetector] = {}
        self._weights = np.array([member.weight for member in self.options.members])

    def assemble(self, part: MakePart) -> None:
        """Makes the members.

        Raises:
            RecipeError: One does not look at pictures, or a key of its table is wrong.
            UnknownComponent: One names no detector.
        """
        for index, (name, member) in enumerate(zip(self._names(), self.options.members, strict=True)):
            detector = part(f"members.{index}", member.table)
            if not isinstance(detector, FrameDetector):
                problem = f"'{member.use}' judges no pictures, so it cannot be a member. Choose one that does"
                raise RecipeError("recipe", f"members.{index} use", f"{problem}, such as 'classifier'")
            self.members[name] = detector

    def _names(self) -> list[str]:
        """What members are called: what they use, numbered from 1 where several use the same."""
        uses = [member.use for member in self.options.members]
        numbered = [f"{use}-{1 + uses[:index].count(use)}" for index, use in enumerate(uses)]
        return [use if uses.count(use) == 1 else name for use, name in zip(uses, numbered, strict=True)]

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """Asks every member about every picture."""
        found = {name: member.judged(frames, task) for name, member in self.members.items()}
        said, progress = (
            np.array([getattr(one, what) for one in found.values()]) for what in ("probability", "progress")
        )
        told = ~np.isnan(said)
        spread = np.where(told, said, -np.inf).max(axis=0) - np.where(told, said, np.inf).min(axis=0)
        split = spread > self.options.disagreement
        reasons = tuple(_reason(found, row, split=bool(split[row])) for row in range(len(frames)))
        said[:, split] = np.nan
        progress[np.isnan(said)] = np.nan
        return Judgement(self._combined(said), self._combined(progress), reasons)

    def _combined(self, values: Values) -> Values:
        """One value for each picture; nan where no member has one. Shape (members, n) to (n,)."""
        there = ~np.isnan(values)
        if self.options.combine == "all":
            lowest = np.where(there, values, np.inf).min(axis=0)
            return np.where(there.any(axis=0), lowest, np.nan)
        weights = np.where(there, self._weights[:, None], 0.0)
        total = weights.sum(axis=0)
        if self.options.combine == "mean":
            sums = (weights * np.where(there, values, 0.0)).sum(axis=0)
            mean: Values = np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0)
            return mean
        return _median(values, weights, total)

    def connect(self, notice: Notice, folder: Path | None) -> None:
        """Tells every member."""
        for member in self.members.values():
            member.connect(notice, folder)

    @property
    def exhausted(self) -> str:  # type: ignore[override]
        """Why a member must not go on, if one must not."""
        return next((member.exhausted for member in self.members.values() if member.exhausted), "")

    def scalars(self) -> dict[str, float]:
        """Its own, and those of members, such as ``clip/ms_per_frame``."""
        theirs = {
            f"{name}/{key}": value for name, member in self.members.items() for key, value in member.scalars().items()
        }
        return super().scalars() | theirs

    def close(self) -> None:
        """Ends what it is at, then closes every member, whatever of them fails to."""
        with ExitStack() as stack:
            for member in self.members.values():
                stack.callback(member.close)
            super().close()

    def state_dict(self) -> dict[str, Any]:
        """Its own state, once members have judged what is on its way, and theirs."""
        own = super().state_dict()
        return own | {"members": {name: member.state_dict() for name, member in self.members.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        super().load_state_dict(state)
        for name, member in self.members.items():
            member.load_state_dict(state["members"][name])


def _median(values: Values, weights: Values, total: Values) -> Values:
    """Weighted medians of columns; the middle of two where the weight splits evenly. Shape (members, n) to (n,)."""
    order = np.argsort(values, axis=0)  # nan last, with weight 0
    ordered = np.take_along_axis(values, order, axis=0)
    below = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0) / np.where(total > 0, total, 1.0)
    low, high = ((reached < 0.5 - slack).sum(axis=0) for reached, slack in ((below, 1e-9), (below, -1e-9)))
    rows = np.arange(values.shape[1])
    last = len(values) - 1
    middle: Values = (ordered[np.minimum(low, last), rows] + ordered[np.minimum(high, last), rows]) / 2
    return np.where(total > 0, middle, np.nan)


def _reason(found: Mapping[str, Judgement], row: int, *, split: bool) -> str:
    """What members have to say of one picture, and who said what where they disagree."""
    said = {name: float(one.probability[row]) for name, one in found.items()}
    why = [f"{name}: {one.reasons[row]}" for name, one in found.items() if len(one.reasons) > row and one.reasons[row]]
    if split:
        votes = ", ".join(f"{name} {p:.0%}" for name, p in said.items() if not np.isnan(p))
        why.insert(0, f"members disagree: {votes}")
    return "; ".join(why)
