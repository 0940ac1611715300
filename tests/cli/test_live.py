from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from adversarl.cli.live import LiveView
from adversarl.metrics import wilson
from adversarl.types import CellResult, Episode, FailureMode, FailureReport, Proposal


def view(terminal):
    return LiveView(Console(file=StringIO(), force_terminal=terminal, width=160), "adaptive")


def tell(view):
    """What a run says in its first steps."""
    view.adversarl_run_started(resumed_at=1200)
    view.adversarl_prompt(proposal=Proposal("dim the [lights]", "it fails in the dark"))
    for success in (True, False, True, True):
        view.adversarl_episode_finished(Episode(0, 0, 0, 10, 10, 1.0, success, not success))
    mode = FailureMode("brightness", None, (0.5, 1.0), wilson(1, 10), 0.6, "fails in the dark [60 %]")
    view.adversarl_report(FailureReport(4, wilson(3, 4), wilson(1, 1), (mode,)))
    view.adversarl_progress(phase="train", done=500, total=1000)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_view_shows_progress_success_prompt_why_and_the_weakest_condition(terminal):
    with view(terminal) as shown:
        tell(shown)
        shown.adversarl_progress(phase="train", done=1000, total=1000)
        if terminal:
            shown.live.refresh()
        text = shown.console.file.getvalue()
    for part in (
        "resumed at 1,200 steps",
        "success, last 4 episodes: ",
        "75%",
        "dim the [lights]",
        "it fails in the dark",
        "fails in the dark [60 %]",
        "train",
    ):
        assert part in text, part


def test_without_a_terminal_lines_are_rare(monkeypatch):
    shown = view(False)
    clock = iter([0.0, *[1.0] * 4, *[20.0] * 4])
    monkeypatch.setattr("adversarl.cli.live.time.monotonic", lambda: next(clock, 20.0))
    shown._printed = 0.0
    for done in (100, 200):
        shown.adversarl_progress(phase="train", done=done, total=1000)
    assert shown.console.file.getvalue() == ""
    for done in (300, 400, 500):
        shown.adversarl_progress(phase="train", done=done, total=1000)
    assert len(shown.console.file.getvalue().splitlines()) == 1


def test_an_evaluation_is_one_line():
    shown = view(False)
    cells = [CellResult("mixed", i, (0, 1), (True, i < 0.5)) for i in (0.0, 1.0)]
    shown.adversarl_evaluation_finished(name="final", results=[*cells, CellResult("fog", 1.0, (0,), (False,))])
    assert shown.console.file.getvalue() == "evaluation final, success at intensity 0.00: 100%, 1.00: 50%\n"


def test_a_notice_is_shown_at_once():
    with view(False) as shown:
        shown.adversarl_notice(source="curriculum", text="Claude is away [529]: rules proposes")
        assert "curriculum: Claude is away [529]: rules proposes" in shown.console.file.getvalue()


def test_what_a_run_has_cost_is_shown_while_it_runs():
    with view(False) as shown:
        tell(shown)
        shown.adversarl_scalars(scalars={"odyssey/cost_usd": 1.234, "train/loss": 2.0, "claude/cost_usd": 0.1})
        shown.adversarl_progress(phase="train", done=1000, total=1000)
        assert "cost: odyssey 1.23 USD, claude 0.10 USD" in shown.console.file.getvalue()


WATCHED = {
    "reward/ms_per_frame": 1.2,
    "watch/success": 0.9,
    "watch/state_success": 0.42,
    "watch/false_successes": 0.83,
    "watch/alarms": 1.0,
    "watch/clip/success": 0.4,
}


@pytest.mark.parametrize(
    ("scalars", "line"),
    [
        (WATCHED, "detector 90% solved, simulator 42%; false successes 83%; 1 alarm"),
        (WATCHED | {"watch/alarms": 3.0}, "detector 90% solved, simulator 42%; false successes 83%; 3 alarms"),
        (
            WATCHED | {"watch/alarms": 0.0, "watch/missed_successes": 0.5},
            "detector 90% solved, simulator 42%; false successes 83%, missed 50%; no alarm",
        ),
    ],
)
@pytest.mark.parametrize("terminal", [True, False])
def test_what_the_detector_calls_success_stands_beside_what_the_simulator_does(terminal, scalars, line):
    with view(terminal) as shown:
        tell(shown)
        shown.adversarl_scalars(scalars=scalars)
        shown.adversarl_progress(phase="train", done=1000, total=1000)
        if terminal:
            shown.live.refresh()
        text = re.sub(r"\x1b\[[\d;]*m", "", shown.console.file.getvalue())
        assert f"watch: {line}" in text
        assert "cost:" not in text


def test_the_simulators_own_reward_needs_no_such_line():
    with view(False) as shown:
        tell(shown)
        shown.adversarl_scalars(scalars={"watch/clip/success": 0.4, "watch/clip/alarms": 0.0})
        shown.adversarl_progress(phase="train", done=1000, total=1000)
        assert "watch:" not in shown.console.file.getvalue()
