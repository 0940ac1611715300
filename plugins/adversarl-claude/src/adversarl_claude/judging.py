"""What Claude says of pictures: solved or not, how sure, how far, and why."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from adversarl_claude.messages import Unusable
from adversarl_claude.troubles import plain

TOOL = "judge_pictures"
DESCRIPTION = "Says for every picture whether the task is solved in it."
LONGEST = 200
"""Longest reason that is kept [characters]."""


class Sight(BaseModel):
    """What is said of one picture; the reason comes first, so that the verdict follows from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    picture: int = Field(ge=1, description="Number of the picture, from 1.")
    shows: str = Field(description="What can be seen that decides, in at most 15 words.")
    solved: bool = Field(description="Whether the task is solved in this picture.")
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False, description="Probability that `solved` is right [1].")
    progress: float = Field(ge=0, le=1, allow_inf_nan=False, description="How far the task has come [1].")

    @field_validator("shows")
    @classmethod
    def _in_one_line(cls, shows: str) -> str:
        return plain(shows)[:LONGEST]

    @property
    def probability(self) -> float:
        """That the task is solved: the confidence after a yes, 1 minus it after a no.

        Who is less sure of an answer than of its opposite knows nothing, so a confidence below 1/2 counts as 1/2.
        """
        sure = max(self.confidence, 0.5)
        return sure if self.solved else 1 - sure


class Sights(BaseModel):
    """The answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    pictures: list[Sight] = Field(description="One entry per picture.")


def read(answer: dict[str, Any], pictures: int) -> list[Sight]:
    """What is said of each picture, in order.

    Raises:
        Unusable: It does not follow the schema, or has not exactly one entry per picture.
    """
    try:
        sights = Sights.model_validate(answer).pictures
    except ValidationError as error:
        first = error.errors()[0]
        raise Unusable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if sorted(sight.picture for sight in sights) != list(range(1, pictures + 1)):
        numbers = ", ".join(str(sight.picture) for sight in sights) or "none"
        raise Unusable(f"one entry is needed for each picture from 1 to {pictures}; there are: {numbers}")
    return sorted(sights, key=lambda sight: sight.picture)


class Memory:
    """The most recently used sights by the names of their pictures.

    Args:
        size: How many.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._sights: OrderedDict[str, Sight] = OrderedDict()

    def get(self, name: str) -> Sight | None:
        """What was said of a picture, if it is remembered."""
        if name in self._sights:
            self._sights.move_to_end(name)
        return self._sights.get(name)

    def put(self, name: str, sight: Sight) -> None:
        """Remembers what was said of a picture; forgets what was not asked for the longest time."""
        self._sights[name] = sight
        self._sights.move_to_end(name)
        while len(self._sights) > self._size:
            self._sights.popitem(last=False)

    def state_dict(self) -> list[Any]:
        """Oldest first; JSON-ready."""
        return [[name, sight.model_dump()] for name, sight in self._sights.items()]

    def load_state_dict(self, state: list[Any]) -> None:
        """Brings `state_dict` back."""
        self._sights = OrderedDict((name, Sight.model_validate(sight)) for name, sight in state)
