"""Which world of a run is which: recordings tell them apart by the order in which they are made."""

from __future__ import annotations

from pathlib import Path

_shelves: dict[tuple[str, Path], Shelf] = {}


class Shelf:
    """Numbers the worlds of a run that share a folder.

    A run begins with the first world that is made while there is none, as its training world outlives all others.

    Attributes:
        made: How many worlds were made so far.
    """

    def __init__(self) -> None:
        self.made = 0
        self._open = 0

    def take(self) -> int:
        """The number of a world that is made now."""
        if not self._open:
            self.made = 0
        self._open += 1
        self.made += 1
        return self.made - 1

    def give_back(self) -> None:
        """A world was closed."""
        self._open -= 1


def shelf_of(use: str, folder: Path) -> Shelf:
    """The shelf of a folder in this process."""
    return _shelves.setdefault((use, folder.resolve()), Shelf())
