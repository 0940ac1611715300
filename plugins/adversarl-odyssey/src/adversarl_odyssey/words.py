"""What waits to be said to a stream: one thing of each kind, in an order that starves neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["scene", "prompt", "action"]


@dataclass(frozen=True, slots=True)
class Order:
    """A text on its way to the service, and what it is: a complete description, a change, or what the robot does."""

    kind: Kind
    text: str


class Words:
    """Two queues of one place each: in each the last one counts.

    Prompts go before actions, but two prompts never follow each other while an action waits. A complete description
    (`scene`) and the conditions that hold on top of it are said in one text, since both would only pass through a
    picture of the one without the other.
    """

    def __init__(self) -> None:
        self.scene: str | None = None
        self.prompt: str | None = None
        self.action: str | None = None
        self._action_next = False

    def __bool__(self) -> bool:
        return self._first is not None or self.action is not None

    @property
    def _first(self) -> str | None:
        return self.scene if self.scene is not None else self.prompt

    def clear(self) -> None:
        """Nothing is to be said any more."""
        self.scene = self.prompt = self.action = None
        self._action_next = False

    def take(self) -> Order | None:
        """What is to be said now; it waits no longer."""
        action = self.action
        if action is not None and (self._action_next or self._first is None):
            self.action, self._action_next = None, False
            return Order("action", action)
        if self._first is None:
            return None
        order = Order("prompt", self._first) if self.scene is None else Order("scene", _joined(self.scene, self.prompt))
        self.scene = self.prompt = None
        self._action_next = True
        return order


def _joined(scene: str, prompt: str | None) -> str:
    if prompt is None or prompt.startswith(scene):
        return prompt or scene
    return f"{scene} {prompt}"
