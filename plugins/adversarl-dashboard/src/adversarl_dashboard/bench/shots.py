"""The pictures of the documentation, of runs that the user names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image

from adversarl_dashboard.bench.browser import browser, served, settle
from adversarl_dashboard.bench.measure import READY
from adversarl_dashboard.readers.runs import Library

if TYPE_CHECKING:
    from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
WIDTHS = {"wide": 1440, "narrow": 390}
HEIGHT = 900
TALLEST = 2200
"""A picture ends there [pixel]."""
COLORS = 256


def shoot(folder: Path, out: Path, pages: list[str] | None = None) -> list[Path]:
    """Pictures of every page, wide and narrow, light and dark: ``dashboard-PAGE-WIDTH-SCHEME.png``.

    Args:
        folder: Of runs.
        out: Where the pictures go; made if absent.
        pages: Only these.

    Returns:
        The files.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    schemes: tuple[Scheme, ...] = ("light", "dark")
    with served(folder) as url, browser() as chromium:
        for name in pages or list(READY):
            for scheme in schemes:
                for label, width in WIDTHS.items():
                    with chromium.new_context(
                        viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
                    ) as context:
                        tab = context.new_page()
                        tab.goto(f"{url}/{'' if name == 'live' else name}")
                        _prepare(tab, name, folder)
                        path = out / f"dashboard-{name}-{label}-{scheme}.png"
                        _save(tab, width, path)
                        written.append(path)
    return written


def _striking(folder: Path) -> int:
    """The number of an episode of the newest run in whose middle the world changes, where there is one."""
    rows = Library(folder).runs()[0].last("episodes", 200)
    moved = [row for row in rows if any(one["onset"] for one in row["perturbations"]) and row["length"] > 20]
    return int([*rows, *moved][-1]["index"])


def _prepare(tab: Page, name: str, folder: Path) -> None:
    """Brings a page to where it shows something."""
    settle(tab, "main, [data-testid='stMain'] h1")
    if name == "replay":
        number = tab.get_by_label("Number")
        number.fill(str(_striking(folder)))
        number.press("Enter")
        tab.wait_for_timeout(1500)
        tab.get_by_role("button", name="Play it again").click()
        tab.locator(".film img").wait_for(timeout=60_000)
        tab.locator(".film input").evaluate("e => { e.value = Math.round(e.max * 0.7); e.oninput(); }")
    elif name == "playground":
        box = tab.get_by_label("Prompt")
        box.fill("dim the lights strongly and retexture the table at 90 %")
        box.press("Enter")
        tab.wait_for_timeout(1500)
    elif name == "live":
        tab.wait_for_selector('[data-testid="stImage"] img', timeout=60_000)
    settle(tab, READY[name] if name != "benchmark" else "h1")
    tab.wait_for_timeout(1500)


def _save(tab: Page, width: int, path: Path) -> None:
    height = tab.evaluate("document.querySelector('[data-testid=\"stMainBlockContainer\"]').scrollHeight")
    tab.set_viewport_size({"width": width, "height": min(int(height), TALLEST)})
    tab.wait_for_timeout(1500)
    image = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    image.quantize(COLORS, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)
