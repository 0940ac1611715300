"""Pictures that clients send to start a stream from."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 25 * 1024 * 1024
"""What the service takes [byte]."""
MOST_PIXELS = 64 * 1024 * 1024
"""Few bytes can be many pixels."""


def decode_image(data: Any, name: str) -> NDArray[np.uint8] | None:
    """The picture in a data URL or in bare base64, RGB; None for None. Shape (h, w, 3).

    Args:
        data: What came.
        name: How the client calls it, for errors.

    Raises:
        ValueError: It is no picture that can be read, or too large.
    """
    if data is None:
        return None
    if not isinstance(data, str):
        raise ValueError(f"{name}: must be a data URL with a picture (data:image/...;base64,...)")
    try:
        raw = base64.b64decode(data.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{name}: is no base64; send a data URL (data:image/...;base64,...)") from None
    if len(raw) > MOST_BYTES:
        raise ValueError(f"{name}: exceeds the maximum size of 25 MB ({len(raw) / 2**20:.1f} MB)")
    return _decode(raw, name)


def _decode(raw: bytes, name: str) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(raw)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{name}: has more than {MOST_PIXELS >> 20} million pixels")
            return np.array(ImageOps.exif_transpose(image).convert("RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError(f"{name}: is no picture that can be read (PNG, JPEG and WebP can)") from None
