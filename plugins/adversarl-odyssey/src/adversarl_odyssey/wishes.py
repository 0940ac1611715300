"""What is asked of a stream, and what the stream that is open was told: the difference is still to be said."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from adversarl_odyssey.words import Order, Words

NEW_S = 2.0
"""A stream that began so recently, and that nobody has seen or spoken to, is a new world [s]."""
FORGET = 0.9
"""How much the length of the longest episode counts one episode later."""


@dataclass(slots=True)
class World:
    """The stream that is open, or being opened.

    Attributes:
        scene: What it began with, or was led back to.
        told: Whether it was told anything else since.
        seen: Whether anybody has seen a picture of it.
        surprising: Whether nobody asked for it, and no picture of it has come yet.
        begun_s: When it began; infinite until then [s].
    """

    scene: str
    told: bool = False
    seen: bool = False
    surprising: bool = False
    begun_s: float = math.inf

    def is_new(self, scene: str, now: float) -> bool:
        """Whether it is as good as a stream that would begin with this scene now."""
        untouched = not (self.told or self.seen) and self.scene == scene
        return untouched and (self.begun_s == math.inf or now - self.begun_s < NEW_S)

    def too_old(self, at_s: float, max_stream_s: float) -> bool:
        """Whether it has to be renewed before a time [s]."""
        return at_s - self.begun_s > max_stream_s


@dataclass(frozen=True, slots=True)
class Said:
    """What was said last.

    Attributes:
        order: The text.
        prompt: The conditions in it, or in force.
        told: Whether the stream had been told anything before.
    """

    order: Order
    prompt: str | None
    told: bool


@dataclass(slots=True)
class Asked:
    """What the environment wants.

    Attributes:
        scene: What an episode began with; None before the first one.
        prompt: The conditions on top of it.
        anew: Whether the stream has to be begun anew.
        permitted: Whether a new stream surprises nobody, since no picture was seen in this episode.
        used_s: When somebody looked last [s].
        began_s: When the episode began [s].
        longest_s: About how long the longest of the last episodes took [s].
        words: What waits to be said.
        refused: Conditions that the service does not take.
    """

    scene: str | None = None
    prompt: str | None = None
    anew: bool = False
    permitted: bool = True
    used_s: float = -math.inf
    began_s: float = -math.inf
    longest_s: float = 0.0
    words: Words = field(default_factory=Words)
    refused: set[str] = field(default_factory=set)

    def begin(self, scene: str, now: float) -> None:
        """An episode; remembers how long the last ones took, so that none has to be cut by a renewal."""
        if not self.permitted:
            self.longest_s = max(FORGET * self.longest_s, now - self.began_s)
        self.scene, self.prompt, self.permitted, self.began_s = scene, None, True, now
        self.words.clear()

    def change(self, text: str, world: World | None) -> None:
        """Other conditions; none, or such as the service does not take, bring the scene back."""
        self.prompt = self.words.prompt = None if text in self.refused else text or None
        if self.prompt is None and world is not None and world.told:
            self.words.scene = self.scene

    def said(self, order: Order, world: World) -> Said:
        """An order is being said to a stream."""
        said = Said(order, self.prompt, world.told)
        world.told = order.kind != "scene" or self.prompt is not None
        world.scene = self.scene or world.scene
        return said

    def forgo(self, said: Said, world: World) -> None:
        """Goes on without what was refused: without an action, in the scene alone, or with a new stream."""
        if said.order.kind == "action":
            return
        world.told = said.told or said.order.kind == "scene"
        if said.prompt is None:
            self.anew = True
            return
        self.refused.add(said.prompt)
        if self.prompt == said.prompt:
            self.change("", world)
        if said.order.kind == "scene":
            self.words.scene = self.scene
