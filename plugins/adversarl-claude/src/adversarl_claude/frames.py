"""Pictures as the Messages API takes them."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SMALLEST_PX = 256
"""Smaller pictures are enlarged by a whole factor to at least this; Claude sees little below 200 pixels [px]."""


def png(frame: NDArray[np.uint8]) -> str:
    """A picture as PNG in base64, enlarged where it is small.

    Args:
        frame: Shape (H, W, 3).
    """
    factor = max(1, -(-SMALLEST_PX // min(frame.shape[:2])))
    large = np.repeat(np.repeat(frame, factor, axis=0), factor, axis=1)
    file = io.BytesIO()
    Image.fromarray(large).save(file, "PNG", optimize=False)
    return b64encode(file.getvalue()).decode()


def blocks(caption: str, picture: str) -> list[dict[str, Any]]:
    """A caption and its picture as blocks of a message."""
    source = {"type": "base64", "media_type": "image/png", "data": picture}
    return [{"type": "text", "text": caption}, {"type": "image", "source": source}]
