"""An episode of a run, played again in its world."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from adversarl.runs import latest_checkpoint
from adversarl_dashboard import common
from adversarl_dashboard.previews import backend_of
from adversarl_dashboard.readers.episodes import Episodes
from adversarl_dashboard.readers.runs import Run

if TYPE_CHECKING:
    from adversarl.interfaces.backend import PerturbableVectorEnv

LISTED = 200
"""So many episodes are listed, the newest of their kind; any other is found by its number."""
KINDS: dict[str, Callable[[Episodes], Any]] = {
    "all": lambda episodes: np.ones(len(episodes), dtype=bool),
    "failed": lambda episodes: ~episodes.success,
    "solved": lambda episodes: episodes.success,
    "perturbed": lambda episodes: ~episodes.nominal,
    "nominal": lambda episodes: episodes.nominal,
}
PLAYERS = {"policy": "the policy, as it is today", "teacher": "the scripted teacher"}


def show() -> None:
    """The page."""
    st.title("Replay")
    run = common.choose_run(common.library().runs(), "replay_run")
    if run is None:
        return
    run.episodes.refresh()
    if not len(run.episodes):
        st.info("No episode has finished yet. Come back in a moment.")
        return
    row = _chosen(run)
    if row is not None:
        _episode(run, row)


def _chosen(run: Run) -> dict[str, Any] | None:
    episodes = run.episodes
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = st.segmented_control("Episodes", list(KINDS), default="all", key="replay_kind") or "all"
        places = np.flatnonzero(KINDS[kind](episodes))[::-1]
        if places.size == 0:
            st.info("There is none of this kind.")
            return None
        newest = int(episodes.index[places[0]])
        asked = st.number_input("Number", 0, None, newest, key=f"replay_{run.name}_{kind}", width=160)
    index = episodes.index[places]
    place = int(places[np.argmin(np.abs(index - asked))])
    with st.expander(f"The newest {min(LISTED, places.size)} of {places.size:,}"):
        _list(episodes, places[:LISTED])
    row = episodes.row(place)
    if row is None:
        st.warning("This episode is not in the journal any more. Choose another.")
    elif row.get("index") != asked:
        st.caption(f"The nearest one of this kind is number {row.get('index')}.")
    return row


def _list(episodes: Episodes, places: Any) -> None:
    index, steps, length, success = episodes.index, episodes.env_steps, episodes.length, episodes.success
    rows = [
        {"index": int(index[at]), "solved": bool(success[at]), "length": int(length[at]), "env_steps": int(steps[at])}
        for at in places
    ]
    common.table(
        rows,
        {
            "index": "number",
            "solved": "solved",
            "length": "control steps",
            "env_steps": st.column_config.NumberColumn("when it ended, in env steps", format="localized"),
        },
        height=250,
    )


def _episode(run: Run, row: dict[str, Any]) -> None:
    checkpoint = latest_checkpoint(run.path)
    known = [player for player in PLAYERS if player != "policy" or checkpoint is not None]
    left, right = st.columns([1, 1], gap="large")
    with right:
        _then(row)
        player = st.radio("Who acts now", known, format_func=PLAYERS.__getitem__, key="replay_player")
        play = st.button("Play it again", type="primary", icon=":material/play_arrow:")
        at = f" of environment step {int(checkpoint.name[5:]):,}" if checkpoint is not None else ""
        st.caption(
            f"Seed and perturbations are those of the episode. The policy is not: it is the one{at}, so the episode "
            "may end differently. To load a checkpoint runs code that it brings along: play only runs that you trust."
        )
    key = (str(run.path), row.get("index"), row.get("seed"), player, checkpoint and checkpoint.name)
    films = st.session_state.setdefault("films", {})
    if play and key not in films:
        made = _play(run, row, player)
        if made is not None:
            films.clear()
            films[key] = made
    with left:
        if key in films:
            _show(films[key], row)
        else:
            st.info("Press *Play it again* to see it.", icon=":material/movie:")


def _then(row: dict[str, Any]) -> None:
    success = "solved" if row.get("success") else "not solved"
    st.markdown(f"**Episode {row.get('index')}** was {success} after {row.get('length')} control steps.")
    prompts = [common.escaped(str(text)) for text in row.get("prompts") or ()]
    st.markdown("\n".join(f"- {text}" for text in prompts) if prompts else "It had no prompt: the world was nominal.")


def _play(run: Run, row: dict[str, Any], player: str) -> dict[str, Any] | None:
    from adversarl_dashboard.film import perturbations_of, play
    from adversarl_dashboard.player import story

    studio, act = common.studio(backend_of(run)), None
    if player == "policy":
        policy = common.result(studio.policy(run.path), "Loading the policy")
        if policy is None:
            return None
        act = policy.learner.act

    def job(world: PerturbableVectorEnv) -> dict[str, Any]:
        perturbations = perturbations_of(row)
        film = play(world, int(row["seed"]), perturbations, act)
        told = {"length": film.length, "success": film.success, "total_reward": film.total_reward}
        return story(film, perturbations) | told

    return common.result(studio.submit(job), "Playing")


def _show(data: dict[str, Any], row: dict[str, Any]) -> None:
    from adversarl_dashboard.player import show_player

    show_player({key: data[key] for key in ("frames", "captions", "steps", "marks")}, key="player")
    now = "solved" if data["success"] else "not solved"
    same = "as then" if data["success"] == bool(row.get("success")) else "unlike then"
    st.markdown(f"Now: {now} after {data['length']} control steps, {same}.")
    if data["marks"]:
        st.caption("Lines on the slider: the world changes there.")
