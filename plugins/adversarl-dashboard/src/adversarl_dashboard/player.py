"""A film with a slider, in the browser: no picture is asked for twice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from adversarl.types import Perturbation
from adversarl_dashboard.film import Film, caption, changes, data_url


def story(film: Film, perturbations: Sequence[Perturbation]) -> dict[str, Any]:
    """What the player shows: pictures, what is in force in each, and where that changes."""
    steps = sorted(film.frames)
    return {
        "frames": [data_url(film.frames[step]) for step in steps],
        "captions": [caption(perturbations, max(0, step - 1)) for step in steps],
        "steps": steps,
        "marks": changes(perturbations, film.length),
    }


@cache
def _component() -> Any:
    import streamlit as st

    here = files("adversarl_dashboard") / "static"
    html, css, js = ((here / f"player.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("adversarl_player", html=html, css=css, js=js)


def show_player(data: dict[str, Any], key: str) -> None:
    """Puts the player on the page."""
    _component()(data=data, key=key)
