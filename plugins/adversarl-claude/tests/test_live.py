"""Asks Anthropic itself, where the environment has a key for it."""

import os

import pytest

from adversarl.metrics import wilson
from adversarl.types import FailureMode, FailureReport

LIVE = os.environ.get("ANTHROPIC_API_KEY", "")


@pytest.mark.skipif(not LIVE, reason="ANTHROPIC_API_KEY is not set")
def test_claude_itself_answers_with_a_plan_that_the_world_understands(converse, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", LIVE)
    options = {"deadline_s": 240.0, "timeout_s": 120.0, "plan_size": 4, "max_cost_usd": 0.5, "effort": "low"}
    talk = converse(live=True, **options)
    mode = FailureMode("mass", None, (0.2, 0.8), wilson(3, 12), 0.5, "success with mass is 25 % [9, 53] (n=12)")
    talk.play(8, FailureReport(40, wilson(20, 40), wilson(9, 10), (mode,)))
    scalars = talk.claude.scalars()
    assert talk.notices == []
    assert scalars["claude/plans"] == 1
    assert 0 < scalars["claude/cost_usd"] < 0.5
