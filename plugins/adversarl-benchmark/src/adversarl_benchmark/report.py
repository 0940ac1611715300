"""``report.html``, one file that opens from disk, and ``report.md`` with its pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adversarl.runs import write_text
from adversarl_benchmark.films import Film
from adversarl_benchmark.frames import Frame

FILM_BYTES = 5_000_000
"""Of films inside the page; base64 adds a third, and the page stays below 10 MB."""


@dataclass(frozen=True, slots=True)
class Media:
    """Pictures of a report.

    Attributes:
        frames: The first frames of held-out episodes by curve, see `frames.suite_frames`.
        films: Failed episodes, see `films.failure_films`.
        notes: What could not be shown, as sentences.
    """

    frames: Mapping[str, Sequence[Frame]] = field(default_factory=dict)
    films: Sequence[Film] = ()
    notes: Sequence[str] = ()


def write_report(results: dict[str, Any], media: Media, folder: Path) -> Path:
    """Writes ``report.html``, ``report.md`` and ``media/`` into a benchmark's folder.

    Args:
        results: What `analysis.analyze` returns, with ``cells`` and ``recipes`` for `reproduce`.
        media: Pictures.
        folder: Where.

    Returns:
        The page.
    """
    from adversarl_benchmark.markdown import write_markdown
    from adversarl_benchmark.page import page

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    write_text(path, page(results, media))
    write_markdown(results, media, folder)
    return path


def picture_uri(picture: NDArray[np.uint8]) -> str:
    """A picture inside a page, as WebP."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "WEBP", quality=82)
    return data_uri(out.getvalue())


def data_uri(webp: bytes) -> str:
    """WebP inside a page."""
    return f"data:image/webp;base64,{base64.b64encode(webp).decode('ascii')}"


def film_name(film: Film) -> str:
    """Its file in ``media/``."""
    return f"{film.condition}-{film.seed}-{film.curve}-{film.intensity:g}-{film.episode}.webp"


def films_within(films: Sequence[Film], limit: int = FILM_BYTES) -> list[Film]:
    """The first films that fit into so many bytes together."""
    kept, size = [], 0
    for film in films:
        size += len(film.webp) + len(film.still)
        if size <= limit:
            kept.append(film)
    return kept
