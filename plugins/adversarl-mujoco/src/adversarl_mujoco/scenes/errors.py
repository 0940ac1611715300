"""What can be wrong with a scene."""

from __future__ import annotations

from adversarl.errors import AdversarlError


class SceneError(AdversarlError):
    """A scene that cannot be built or used: ``file: [objects.cup] key: problem``, with what to do."""

    def __init__(self, source: str, where: str, problem: str) -> None:
        super().__init__(f"{source}: {where}: {problem}" if where else f"{source}: {problem}")
