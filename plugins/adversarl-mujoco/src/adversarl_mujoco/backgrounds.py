"""What can stand behind a scene: generated images and videos, or those of a folder."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from adversarl.errors import AdversarlError
from adversarl_mujoco import bank
from adversarl_mujoco.compositing import Image, cover
from adversarl_mujoco.films import SUFFIXES as FILM_SUFFIXES
from adversarl_mujoco.films import Film

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
BANK = 8
"""Generated backgrounds of each kind."""
BUDGET = 128 * 2**20
"""Memory for frames that are ready to be shown, in each process [bytes]."""


class BackgroundError(AdversarlError):
    """A folder of backgrounds that cannot be used."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"[backend] backgrounds = '{path}': {problem}")


class Clip(ABC):
    """An image or a video.

    Attributes:
        length: Number of frames; 1 for an image.
    """

    length: int = 1

    @abstractmethod
    def frame(self, index: int) -> Image:
        """Frame `index` in [0, length), RGB. Any Shape (h, w, 3)."""


class GeneratedImage(Clip):
    """One of `bank.STILLS`."""

    def __init__(self, kind: str, seed: int, number: int) -> None:
        self._which = kind, seed, number

    def frame(self, index: int) -> Image:
        """The image."""
        return bank.still(*self._which)


class GeneratedVideo(Clip):
    """One of `bank.CLIPS`."""

    length = bank.FRAMES

    def __init__(self, kind: str, seed: int, number: int) -> None:
        self._which = kind, seed, number

    def frame(self, index: int) -> Image:
        """A frame."""
        return bank.clip(*self._which, index)


class Photograph(Clip):
    """An image file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def frame(self, index: int) -> Image:
        """The image, read anew.

        Raises:
            BackgroundError: It cannot be read.
        """
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if image is None:
            raise BackgroundError(self.path, "this image cannot be read. Remove it or save it again as PNG")
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


class Video(Clip):
    """A video file, decoded when it is first seen."""

    def __init__(self, path: Path) -> None:
        self._film = Film(path)
        self.length = self._film.length

    def frame(self, index: int) -> Image:
        """A frame."""
        return self._film.frame(index)


class Backgrounds:
    """Images and videos by name.

    Args:
        images: Images that can be asked for.
        videos: Videos that can be asked for.
    """

    def __init__(self, images: Mapping[str, Clip], videos: Mapping[str, Clip]) -> None:
        self.images, self.videos = dict(images), dict(videos)
        self._ready = Frames(BUDGET)

    def frame(self, clip: Clip, step: int, height: int, width: int) -> Image:
        """What one of them shows at a control step; videos run to and fro. Shape (height, width, 3), read-only."""
        period = max(1, 2 * clip.length - 2)
        index = min(step % period, period - step % period) if clip.length > 1 else 0
        return self._ready.get((clip, index, height, width), lambda: cover(clip.frame(index), height, width))


class Frames:
    """Pictures that were needed lately, within a budget of memory; safe in threads.

    Args:
        budget: How much they may take together [bytes].
    """

    def __init__(self, budget: int) -> None:
        self._budget, self._taken = budget, 0
        self._pictures: OrderedDict[Hashable, Image] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Image]) -> Image:
        """The picture of a key, made if it is not there."""
        with self._lock:
            picture = self._pictures.get(key)
            if picture is not None:
                self._pictures.move_to_end(key)
                return picture
        picture = np.ascontiguousarray(make())
        picture.setflags(write=False)
        with self._lock:
            if key not in self._pictures:
                self._pictures[key] = picture
                self._taken += picture.nbytes
            while self._taken > self._budget and len(self._pictures) > 1:
                self._taken -= self._pictures.popitem(last=False)[1].nbytes
        return picture

    @property
    def taken(self) -> int:
        """Memory in use [bytes]."""
        return self._taken


def generated(seed: int = 0) -> Backgrounds:
    """The bank of this seed; banks of different seeds, as for training and evaluation, share no picture."""
    images = {f"{kind}_{i}": GeneratedImage(kind, seed, i) for i in range(BANK) for kind in bank.STILLS}
    videos = {f"{kind}_{i}": GeneratedVideo(kind, seed, i) for i in range(BANK) for kind in bank.CLIPS}
    return Backgrounds(images, videos)


def load_backgrounds(folder: Path, seed: int = 0) -> Backgrounds:
    """The images and videos of a folder, by the stems of their names; where it has none of a sort, generated ones.

    Raises:
        BackgroundError: There is no such folder, nothing in it can be used, two files differ in their endings alone, or
            an image cannot be read.
        FilmError: A video cannot be decoded.
        MissingExtra: It has videos, and nothing to decode them is installed.
    """
    if not folder.is_dir():
        raise BackgroundError(
            folder, "there is no such folder. Make it, or leave the key out for generated backgrounds"
        )
    files = sorted(path for path in folder.iterdir() if path.is_file())
    images: dict[str, Clip] = {name: Photograph(path) for name, path in _named(folder, files, IMAGE_SUFFIXES)}
    videos: dict[str, Clip] = {name: Video(path) for name, path in _named(folder, files, FILM_SUFFIXES)}
    if not images and not videos:
        known = ", ".join((*IMAGE_SUFFIXES, *FILM_SUFFIXES))
        raise BackgroundError(folder, f"it has no image or video; put in files that end with {known}")
    for path in files:
        if path.suffix.lower() in IMAGE_SUFFIXES and not cv2.haveImageReader(str(path)):
            raise BackgroundError(path, "this image cannot be read. Remove it or save it again as PNG")
    spare = generated(seed)
    return Backgrounds(images or spare.images, videos or spare.videos)


def _named(folder: Path, files: Sequence[Path], suffixes: Sequence[str]) -> list[tuple[str, Path]]:
    """Files with one of some endings, by the stems of their names."""
    found: dict[str, Path] = {}
    for path in files:
        if path.suffix.lower() in suffixes:
            other = found.setdefault(path.stem, path)
            if other != path:
                raise BackgroundError(folder, f"{other.name} and {path.name} have one name, '{path.stem}'. Rename one")
    return list(found.items())
