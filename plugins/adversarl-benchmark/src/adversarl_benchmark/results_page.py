"""A results file told again: as the report that it came with, or as one page of a documentation."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from adversarl.errors import AdversarlError
from adversarl.plugins import Plugins
from adversarl.recipe import Recipe, parse_recipe
from adversarl.runs import write_text
from adversarl_benchmark.frames import suite_frames
from adversarl_benchmark.heldout import HeldOut
from adversarl_benchmark.markdown import write_markdown
from adversarl_benchmark.report import Media

PICTURES = "images/results"
"""Folder of the pictures, beside the page."""
COMMENT = "<!-- written by `adversarl report`, see the end of the page; edit the preface, not this file -->\n\n"


def media_of(results: Mapping[str, Any], plugins: Plugins) -> Media:
    """Frames of the suite's scenes, drawn anew; without the runs there are no films."""
    recipe = _last_recipe(results, plugins)
    try:
        suite: HeldOut = recipe["evaluation"].changed({"curves": [], "intensities": []}, "report", "suite").make()
        sentences = [prompt.text for curve in suite.spec.curves for prompt in curve.prompts]
        frames, notes = suite_frames(recipe, suite.cells((), 0), sentences=sentences)
    except AdversarlError as error:
        return Media(notes=[f"No frames: {error}"])
    return Media(frames, (), [*notes, "Films of failures are in the report beside the runs."])


def _last_recipe(results: Mapping[str, Any], plugins: Plugins) -> Recipe:
    import tomllib

    *_, text = results["recipes"].values()
    return parse_recipe(tomllib.loads(text), plugins.registry, "report")


def write_page(results: dict[str, Any], media: Media, page: Path, preface: str = "") -> None:
    """Writes one Markdown page with its pictures in `PICTURES` beside it.

    Args:
        results: What ``results.json`` holds.
        media: Frames and films; pictures that they do not bring are left as they are.
        page: The page's file.
        preface: Markdown that comes before all that is generated, with the page's title.
    """
    pictures = page.parent / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="adversarl-report-") as temporary:
        folder = Path(temporary)
        text = write_markdown(results, media, folder).read_text(encoding="utf-8")
        for made in sorted((folder / "media").iterdir()):
            if made.suffix == ".png":  # 256 colors are enough for charts, and for frames of this size
                Image.open(made).convert("RGB").quantize(256).save(pictures / made.name, optimize=True)
            else:
                (pictures / made.name).write_bytes(made.read_bytes())
    body = text.replace("](media/", f"]({PICTURES}/")
    write_text(page, COMMENT + (preface.rstrip() + "\n\n" + body.partition("\n")[2].lstrip() if preface else body))
