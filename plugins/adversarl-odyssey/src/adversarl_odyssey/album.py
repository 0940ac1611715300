"""Worlds beside the one in training look at its pictures, since a second stream would cost as much again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Notice
from adversarl_odyssey.sources import NOTHING, Shown, Source

KEPT = 64
"""Descriptions of which an album keeps the latest picture."""


class Album:
    """The latest picture of each description that streams were asked for.

    Attributes:
        owners: Worlds that show pictures of their own because a run told them where it lies.
    """

    def __init__(self) -> None:
        self.owners = 0
        self._pictures: OrderedDict[str, Shown] = OrderedDict()

    def keep(self, text: str, shown: Shown) -> None:
        """Takes a picture in."""
        self._pictures[text] = shown
        self._pictures.move_to_end(text)
        if len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)

    def find(self, text: str) -> Shown:
        """The latest picture of a description, or else the latest of all; its number is negative if there is none."""
        latest = next(reversed(self._pictures.values()), None)
        return self._pictures.get(text) or latest or NOTHING


_albums: WeakValueDictionary[str, Album] = WeakValueDictionary()


def album_of(key: str) -> Album:
    """The album of the worlds of this process that have something in common, such as their service."""
    album = _albums.get(key)
    if album is None:
        album = _albums[key] = Album()
    return album


class Shared(Source):
    """Pictures of its own for a world that a run trains or evaluates in, those of an album for worlds beside it.

    A run tells its worlds where it lies (`connect`), but not those that guards and classifiers play trials in. So a
    world that was not told, while another one was, opens no stream: it shows what its description was last seen as, or
    else the latest picture of all. Where there is no run, every world has pictures of its own.

    Args:
        make: Opens the pictures; called when a world is connected or first looked at.
        album: What worlds beside this one may look at, and this one at theirs.
    """

    def __init__(self, make: Callable[[], Source], album: Album) -> None:
        self._make, self._album = make, album
        self._own: Source | None = None
        self._owner = False
        self._text: dict[int, str] = {}

    def connect(self, notice: Notice, folder: Path | None = None) -> None:
        """This world is a run's."""
        if not self._owner:
            self._owner = True
            self._album.owners += 1
        source = self._opened()
        if source is not None:
            source.connect(notice, folder)
            self.exhausted = source.exhausted

    def begin(self, env: int, scene: str, *, restart: bool) -> None:
        """Passes it on."""
        self._text[env] = scene
        source = self._opened()
        if source is not None:
            source.begin(env, scene, restart=restart)

    def prompt(self, env: int, text: str) -> None:
        """Passes it on."""
        self._text[env] = text
        source = self._opened()
        if source is not None:
            source.prompt(env, text)

    def start_from(self, env: int, picture: NDArray[np.uint8]) -> None:
        """Passes it on."""
        source = self._opened()
        if source is not None:
            source.start_from(env, picture)

    def show(self, env: int, *, fresh: bool) -> Shown:
        """A picture of its own, or one from the album."""
        text = self._text.get(env, "")
        source = self._opened()
        if source is None:
            return self._album.find(text)
        shown = source.show(env, fresh=fresh)
        self.exhausted = source.exhausted
        self._album.keep(text, shown)
        return shown

    def scalars(self) -> dict[str, float]:
        """What its own pictures measure."""
        return {} if self._own is None else self._own.scalars()

    def position(self, env: int) -> Any:
        """Where its own pictures are."""
        return None if self._own is None else self._own.position(env)

    def seek(self, env: int, position: Any) -> None:
        """Goes back where its own pictures were."""
        source = self._opened()
        if source is not None and position is not None:
            source.seek(env, position)

    def close(self) -> None:
        """Closes its own pictures."""
        self._album.owners -= self._owner
        self._owner = False
        own, self._own = self._own, None
        self._make = _closed
        if own is not None:
            own.close()

    def _opened(self) -> Source | None:
        """Its own pictures; None for a world beside."""
        if self._own is None and (self._owner or not self._album.owners):
            self._own = self._make()
        return self._own


def _closed() -> Source:
    raise ValueError("the world was closed")
