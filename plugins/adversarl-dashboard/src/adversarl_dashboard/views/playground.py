"""What a prompt does to a world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from adversarl_dashboard import common
from adversarl_dashboard.previews import backend_of
from adversarl_dashboard.readers.runs import Run

if TYPE_CHECKING:
    from adversarl.interfaces.backend import PerturbableVectorEnv
    from adversarl.types import Grounding

DEGREES = {"as it is": "", "slightly": "slightly", "strongly": "strongly", "30 %": "at 30 %", "80 %": "at 80 %"}
"""Words that say how much, put behind an example."""
EXAMPLES = 12
SIZE = 480
"""Edge of the pictures [pixel]."""


def show() -> None:
    """The page."""
    st.title("Playground")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        backend = _backend(common.library().runs())
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="playground_seed", width=140)
    studio = common.studio(backend)
    known = common.result(studio.submit(_about), "Making the world")
    if known is None:
        return
    axes, task = known
    text = _text([axis["phrase"] for axis in axes])
    if task:
        st.caption(f"The task in this world: {common.escaped(task)}.")
    seen = common.result(studio.submit(lambda world: _look(world, text, int(seed))), "Drawing")
    if seen is not None:
        _pictures(*seen)
        _grounding(seen[0])
    with st.expander(f"All {len(axes)} axes of this world"):
        titles = {"name": "axis", "phrase": "phrase", "nominal": "nominal", "bound": "hardest", "when": "acts"}
        common.table(axes, titles, height=400)


def _backend(runs: list[Run]) -> dict[str, Any]:
    """The table ``[backend]`` of a run, or of a backend by its defaults."""
    from adversarl.cli.prompt import default_backend

    plugins = common.plugins()
    names = {f"run {run.name}": backend_of(run) for run in runs if backend_of(run)}
    first = default_backend(plugins, None)
    others = sorted(plugins.registry.names("backend"), key=lambda name: (name != first, name))
    names |= {f"backend {name}": {"use": name} for name in others}
    return names[st.selectbox("World of", list(names), key="playground_world")]


def _about(world: PerturbableVectorEnv) -> tuple[list[dict[str, str]], str]:
    rows = [
        {
            "name": axis.name,
            "phrase": axis.phrase,
            "nominal": axis.nominal,
            "bound": axis.bound,
            "when": "at once" if axis.mid_episode else "at a reset",
        }
        for axis in world.axes
    ]
    return rows, world.task


def _text(phrases: list[str]) -> str:
    """The prompt: typed, or made of an example and a word that says how much."""
    state, examples = st.session_state, phrases[:EXAMPLES]
    if "playground_text" not in state:
        state.playground_text = state.playground_example = examples[0] if examples else None
    if state.get("playground_example") not in examples:
        state.playground_example = None

    def take() -> None:
        if state.playground_example:
            degree = state.get("playground_degree") or "as it is"
            state.playground_text = f"{state.playground_example} {DEGREES[degree]}".strip()

    def typed() -> None:
        state.playground_example = None

    placeholder = "such as: dim the lights slightly"
    text = st.text_input("Prompt", key="playground_text", placeholder=placeholder, on_change=typed)
    st.pills("Examples", examples, key="playground_example", on_change=take)
    if state.playground_example:
        st.segmented_control("How much", list(DEGREES), default="as it is", key="playground_degree", on_change=take)
    return text or ""


def _look(world: PerturbableVectorEnv, text: str, seed: int) -> tuple[Grounding, Any, Any]:
    from adversarl.cli.prompt import picture

    grounding = world.ground(text)
    perturbations = tuple(p.seeded(seed + number) for number, p in enumerate(grounding.perturbations))
    before = picture(world, (), seed, SIZE)
    after = picture(world, perturbations, seed, SIZE)
    world.restore([0])
    return grounding, before, after


def _pictures(grounding: Grounding, before: Any, after: Any) -> None:
    from adversarl_dashboard.film import enlarged

    left, right = st.columns(2)
    left.image(enlarged(before), caption="before", width="stretch")
    right.image(enlarged(after), caption="after", width="stretch")
    if (before == after).all() and grounding.perturbations:
        st.caption("The picture is the same: what changes cannot be seen at the reset, such as a mass or a delay.")


def _grounding(grounding: Grounding) -> None:
    if grounding.not_understood:
        words = ", ".join(grounding.not_understood)
        st.warning(f"Not understood: {common.escaped(words)}", icon=":material/question_mark:")
    elif not grounding.complete:
        st.warning("It asks for nothing.", icon=":material/question_mark:")
    if grounding.confidence < 1:
        st.warning(f"A guess by meaning, with confidence {grounding.confidence:.2f}.")
    if grounding.restore:
        st.caption("It brings the world back to nominal first.")
    rows = [
        {
            "axis": p.axis,
            "target": p.target or "",
            "intensity": p.intensity,
            "value": "drawn from the seed" if p.value is None else str(p.value),
        }
        for p in grounding.perturbations
    ]
    if rows:
        st.subheader("What it was taken for", anchor=False)
        percent = st.column_config.ProgressColumn("intensity", format="percent", min_value=0.0, max_value=1.0)
        common.table(rows, {"axis": "axis", "target": "target", "intensity": percent, "value": "value"})
        understood = ", ".join(f"{words}: {meaning}" for words, meaning in grounding.understood)
        st.caption(common.escaped(understood))
