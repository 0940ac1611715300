"""Curricula made of other curricula: who is asked for an episode, and who learns from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from adversarl.errors import RecipeError
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.interfaces.trials import Services, Trace
from adversarl.types import Episode, FailureReport, Proposal

OF_THE_WHOLE = ("clean_share", "guard", "guard_attempts", "antagonist")
"""Keys that the loop reads from the ``[curriculum]`` table alone, and that are refused in a part's table."""

NOBODY = -1


class PartTable(BaseModel):
    """A table that names a curriculum; the keys that are not listed here are those of that curriculum."""

    model_config = ConfigDict(extra="allow", frozen=True)
    use: str = Field(description="Name of the curriculum.")

    @property
    def table(self) -> dict[str, Any]:
        """The curriculum's own table."""
        return {"use": self.use, **(self.model_extra or {})}


def make_part(key: str, table: Mapping[str, Any], world: World, rng: np.random.Generator) -> CurriculumStrategy:
    """A curriculum that is a part of another one; those inside it are named below `key` in errors.

    Raises:
        RecipeError: A key is wrong, or holds for the whole curriculum only.
        UnknownComponent: No curriculum has that name.
    """
    for name in OF_THE_WHOLE:
        if name in table:
            problem = "holds for all parts together. Move it to [curriculum]"
            raise RecipeError("recipe", f"[curriculum.{key}] {name}", problem)
    outer = world.part

    def inner(
        below: str, content: Mapping[str, Any], about: World, generator: np.random.Generator
    ) -> CurriculumStrategy:
        return outer(f"{key}.{below}", content, about, generator)

    return outer(key, table, replace(world, part=inner), rng)


class Composite(CurriculumStrategy):
    """A curriculum that asks one of its parts for each episode.

    Every part learns from its own episodes only: a finished episode is watched and observed by the part that proposed
    it, and by all of them where none did (the clean share). All parts share one generator.

    Args:
        options: Its options.
        world: What it may know of the world.
        rng: The generator.
        tables: The parts' tables by the key that holds them, such as ``parts.0``.
    """

    def __init__(
        self,
        options: CurriculumOptions,
        world: World,
        rng: np.random.Generator,
        tables: Mapping[str, Mapping[str, Any]],
    ) -> None:
        super().__init__(options, world, rng)
        self.names = tuple(f"{index}-{table['use']}" for index, table in enumerate(tables.values()))
        self.parts = tuple(make_part(key, table, world, rng) for key, table in tables.items())
        self.traces = any(part.traces for part in self.parts)
        self.values = any(part.values for part in self.parts)
        self._asked: dict[int, tuple[int, int]] = {}

    @abstractmethod
    def choose(self, slot: Slot) -> int:
        """Index of the part that proposes an episode; asked once for each."""

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """What the chosen part proposes; after a refusal the same part is asked again."""
        episode, part = self._asked.get(slot.env, (NOBODY, NOBODY))
        if episode != slot.episode:
            part = self.choose(slot)
            self._asked[slot.env] = (slot.episode, part)
        return self.parts[part].propose(slot, report)

    def connect(self, services: Services) -> None:
        """Gives every part what the run offers."""
        for part in self.parts:
            part.connect(services)

    def watch(self, episode: Episode, trace: Trace) -> None:
        """Shows how an episode went to the part that proposed it, where that wants to see it."""
        for part in self._concerned(episode):
            if part.traces:
                part.watch(episode, trace)

    def observe(self, episode: Episode) -> None:
        """Shows an episode to the part that proposed it; one that none proposed to all."""
        for part in self._concerned(episode):
            part.observe(episode)
        self._asked.pop(episode.env, None)

    def _concerned(self, episode: Episode) -> tuple[CurriculumStrategy, ...]:
        number, part = self._asked.get(episode.env, (NOBODY, NOBODY))
        return (self.parts[part],) if number == episode.index else self.parts

    def refuse(self, slot: Slot) -> None:
        """Tells the part that proposed it."""
        _, part = self._asked[slot.env]
        self.parts[part].refuse(slot)

    def close(self) -> None:
        """Closes every part."""
        for part in self.parts:
            part.close()

    def scalars(self) -> dict[str, float]:
        """The parts' scalars, under ``curriculum/0-rules/``."""
        return {
            f"curriculum/{name}/{key.removeprefix('curriculum/')}": value
            for name, part in zip(self.names, self.parts, strict=True)
            for key, value in part.scalars().items()
        }

    def state_dict(self) -> dict[str, Any]:
        """The parts' states, and who was asked for the running episodes; JSON-ready."""
        asked = [[env, episode, part] for env, (episode, part) in self._asked.items()]
        return {"parts": [part.state_dict() for part in self.parts], "asked": asked}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        for part, content in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(content)
        self._asked = {env: (episode, part) for env, episode, part in state["asked"]}
