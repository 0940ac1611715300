"""Pictures for the start of a stream, as the messages carry them."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

LONG, SHORT = 1280, 704
"""Edges of the pictures that streams begin with [pixel]."""
QUALITY = 90
LARGEST_BYTES = 25 * 1024 * 1024


def data_url(image: Any, *, portrait: bool) -> str:
    """A ``data:`` URL of a JPEG that fills the stream's picture; what does not fit is cut off evenly.

    Args:
        image: Path, bytes of a file, PIL image, RGB array of Shape (h, w, 3), or a ``data:`` URL, which stays as it is.
        portrait: Whether the stream is upright.

    Raises:
        ValueError: It is no picture, or too large.
    """
    if isinstance(image, str) and image.startswith("data:"):
        return image
    from PIL import ImageOps

    size = (SHORT, LONG) if portrait else (LONG, SHORT)
    content = io.BytesIO()
    ImageOps.fit(_open(image).convert("RGB"), size).save(content, format="JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"


def _open(image: Any) -> Any:
    from PIL import Image, UnidentifiedImageError

    if hasattr(image, "convert"):
        return image
    if hasattr(image, "dtype"):
        try:
            return Image.fromarray(image)
        except TypeError as error:
            raise ValueError(f"an array of Shape {image.shape} and type {image.dtype} is no picture") from error
    try:
        content = image if isinstance(image, bytes) else Path(image).read_bytes()
    except (TypeError, OSError) as error:
        raise ValueError(f"no picture can be read from {image!r:.80}") from error
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"the picture has {len(content)} bytes; at most {LARGEST_BYTES} are allowed")
    try:
        return Image.open(io.BytesIO(content))
    except UnidentifiedImageError as error:
        raise ValueError("the start picture is in no format that is known here") from error
