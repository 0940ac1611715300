"""Puts a picture behind a foreground: the path of photographs, videos, colour grids and streamed frames alike."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def composite(foreground: Image, background: Image, behind: Image, share: float = 1.0) -> Image:
    """Mixes another picture into the pixels that show the background.

    Args:
        foreground: The rendered picture, RGB; it is written into. Shape (H, W, 3).
        background: 255 where it shows the background, else 0. Shape (H, W).
        behind: What to see there instead, RGB; cut and scaled so that it fills the picture. Any Shape (h, w, 3).
        share: How much of it, in [0, 1]; at 0 the foreground stays as it is.

    Returns:
        The foreground, in which every pixel of the background is (1 - share) nominal + share * behind.
        Shape (H, W, 3).
    """
    if share <= 0:
        return foreground
    fitted = cover(behind, *foreground.shape[:2])
    if share < 1:
        fitted = np.asarray(cv2.addWeighted(foreground, 1 - share, fitted, share, 0), dtype=np.uint8)
    cv2.copyTo(fitted, background, foreground)
    return foreground


def cover(picture: Image, height: int, width: int) -> Image:
    """The largest centred part of a picture with the wanted shape, scaled to it. Shape (height, width, 3)."""
    h, w = picture.shape[:2]
    if (h, w) == (height, width):
        return picture
    scale = min(h / height, w / width)
    rows, columns = max(1, round(scale * height)), max(1, round(scale * width))
    top, left = (h - rows) // 2, (w - columns) // 2
    part = picture[top : top + rows, left : left + columns]
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=method), dtype=np.uint8)
