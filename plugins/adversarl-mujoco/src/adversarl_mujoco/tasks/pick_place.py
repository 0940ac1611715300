"""The task `pick-place`: pick an object up and set it down on a goal."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from adversarl_mujoco.tasks.failures import PLACE_KINDS
from adversarl_mujoco.tasks.options import TaskOptions
from adversarl_mujoco.tasks.place import Place, PlaceCriteria, PlaceOptions


class PickPlaceCriteria(PlaceCriteria):
    """Table ``success`` of `pick-place`."""

    time_limit: float = Field(8.0, gt=0, le=600, description="Time limit of an episode [s].")


class PickPlaceOptions(PlaceOptions):
    """Pick up an object from the table and set it down on a goal."""

    type: Literal["pick-place"] = "pick-place"  # type: ignore[assignment]
    success: PickPlaceCriteria = Field(PickPlaceCriteria(), description="When the object counts as placed.")


class PickPlace(Place):
    """`Place` with the object on the table at the start; the same reward and condition."""

    Options: ClassVar[type[TaskOptions]] = PickPlaceOptions
    options: PickPlaceOptions
    in_hand: ClassVar[bool] = False
    failure_kinds = PLACE_KINDS

    @property
    def text(self) -> str:
        """The task in English."""
        return f"pick up the {self._thing.name} and put it {self._where}"
