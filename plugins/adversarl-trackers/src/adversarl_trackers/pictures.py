"""Pictures as PNG and films as animated GIF."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
FRAME_MS = 100
"""How long each picture of a film is shown [ms]."""


def png(picture: Picture) -> bytes:
    """A picture of Shape (height, width, 3)."""
    return _written([Image.fromarray(picture)], "PNG")


def gif(film: Picture) -> bytes:
    """A film of Shape (n, height, width, 3), repeated for ever."""
    return _written([Image.fromarray(picture) for picture in film], "GIF")


def _written(pictures: list[Image.Image], kind: str) -> bytes:
    first, *others = pictures
    file = io.BytesIO()
    more = {"save_all": True, "append_images": others, "duration": FRAME_MS, "loop": 0} if kind == "GIF" else {}
    first.save(file, kind, **more)
    return file.getvalue()
