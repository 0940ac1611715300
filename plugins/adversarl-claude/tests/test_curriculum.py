import io
import json
from base64 import b64decode
from dataclasses import replace
from itertools import pairwise

import messages_server as api
import numpy as np
import pytest
from adversarl_claude.curriculum import Claude
from adversarl_claude.failure import ClaudeFailure
from PIL import Image
from pydantic import ValidationError

from adversarl.interfaces.curriculum import Slot
from adversarl.interfaces.trials import Trace
from adversarl.loop import EMPTY
from adversarl.metrics import wilson
from adversarl.testing import checks_for
from adversarl.testing.fakes import make_episodes
from adversarl.types import FailureMode, FailureReport

DIM, SHIFT = "dim the light at 40 %", "shift the camera at 30 %"


@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_promises_of_a_curriculum_are_kept(check):
    check(Claude)


@pytest.mark.parametrize("check", checks_for("failure"))
def test_the_promises_of_a_failure_classifier_are_kept(check):
    check(ClaudeFailure)


def rows(folder, event):
    lines = (folder / "claude.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["event"] == event]


def test_the_fallback_proposes_until_the_answer_is_used(converse):
    talk = converse(api.answer(api.plan(api.item(DIM))), fallback={"use": "static", "prompts": [SHIFT]})
    assert talk.texts(12) == [SHIFT] * 7 + [DIM] * 5
    assert talk.notices == []
    assert talk.claude.scalars()["claude/proposed"] == 5
    assert talk.claude.scalars()["claude/proposed_by_fallback"] == 7


def test_without_apply_after_an_answer_is_used_when_it_is_there(converse):
    talk = converse(apply_after=None, fallback={"use": "static", "prompts": [SHIFT]})
    for _ in range(100_000):
        if DIM in talk.texts(1):
            break
    (used,) = rows(talk.folder, "used")
    assert used["episode"] == talk.episode - 1


def test_proposals_are_drawn_by_weight_and_say_when_and_why(converse):
    items = api.item(DIM, 9.0), api.item(SHIFT, 1.0, onset_share=0.5, duration_share=0.25, expected_success=0.7)
    talk = converse(api.answer(api.plan(*items)), ask_every=500)
    talk.play(502)
    drawn = [p for proposals in talk.play(400) for p in proposals]
    shifts = [p for p in drawn if p.text == SHIFT]
    assert 20 <= len(shifts) <= 64
    limit = talk.world.max_episode_steps
    assert {(p.onset, p.duration) for p in shifts} == {(limit // 2, limit // 4)}
    assert {(p.onset, p.duration) for p in drawn if p.text == DIM} == {(0, None)}
    assert shifts[0].why == "Claude: half of it succeeds (expects 70%)"


def test_the_question_tells_task_axes_report_and_effects_and_its_static_part_is_cached(converse):
    talk = converse()
    talk.play(8, EMPTY)
    mode = FailureMode("mass", None, (0.2, 0.8), wilson(3, 12), 0.5, "fails when the dot is heavy")
    talk.play(3, FailureReport(12, wilson(6, 12), wilson(5, 5), (mode,), changed=True))
    first, second = talk.server.requests[:2]
    (system,) = first["system"]
    assert system["cache_control"] == {"type": "ephemeral"}
    assert "move the red dot onto the green goal" in system["text"]
    assert all(axis.phrase in system["text"] for axis in talk.world.axes)
    assert {key: first[key] for key in first if key != "messages"} == {k: second[k] for k in second if k != "messages"}
    (said,) = second["messages"][0]["content"]
    assert "Success over recent unchanged episodes: 100 % [57, 100] (n=5)." in said["text"]
    assert "- fails when the dot is heavy" in said["text"]
    assert f"| {DIM} | 50% |" in said["text"]
    assert "Budget left for questions to you: 4.99 USD." in said["text"]


def test_a_changed_report_brings_the_question_forward(converse):
    talk = converse(ask_every=40)
    talk.play(15)
    assert talk.server.requests == []
    mode = FailureMode("mass", None, (0.2, 0.8), wilson(3, 12), 0.5, "fails when the dot is heavy")
    talk.play(3, FailureReport(12, wilson(6, 12), wilson(5, 5), (mode,)))
    (request,) = talk.server.requests
    assert "- fails when the dot is heavy" in request["messages"][0]["content"][0]["text"]


def test_the_last_failed_pictures_go_with_a_question_and_survive_a_resume(converse):
    talk = converse(frames=2)
    assert talk.claude.traces
    nothing = np.zeros((1, 1), dtype=np.float32)
    for index, episode in enumerate(make_episodes(4, talk.world.axes)):
        frame = np.full((32, 32, 3), index, dtype=np.uint8)
        talk.claude.watch(replace(episode, success=index == 3), Trace(frame, nothing, nothing, np.zeros(1)))
    again = converse(frames=2, server=talk.server)
    again.claude.load_state_dict(json.loads(json.dumps(talk.claude.state_dict())))
    again.play(8)
    said, picture, _, second, _ = talk.server.requests[0]["messages"][0]["content"]
    assert said["text"].startswith("Last picture of failed episode 1 (")
    shades = [
        Image.open(io.BytesIO(b64decode(block["source"]["data"]))).getpixel((0, 0)) for block in (picture, second)
    ]
    assert shades == [(1, 1, 1), (2, 2, 2)]


def test_the_tool_is_strict_and_never_forced(converse):
    talk = converse()
    talk.play(8)
    (tool,) = talk.server.requests[0]["tools"]
    assert tool["strict"] is True
    assert tool["input_schema"]["additionalProperties"] is False
    assert talk.server.requests[0]["tool_choice"]["type"] == "auto"


def test_what_does_not_ground_goes_back_once_with_the_reason(converse):
    script = api.plan(api.item(DIM), api.item("paint the sky at 40 %")), api.plan(api.item(SHIFT))
    talk = converse(*map(api.answer, script))
    talk.play(7)
    assert set(talk.texts(2)) == {DIM}
    assert set(talk.texts(40)[:20]) == {DIM, SHIFT}
    first, second = talk.server.requests[:2]
    assert second["messages"][0] == first["messages"][0]
    assert second["messages"][1]["role"] == "assistant"
    (result,) = second["messages"][2]["content"]
    assert result["tool_use_id"] == "toolu_01"
    assert result["is_error"] is True
    assert "\"paint the sky at 40 %\": not understood: 'paint', 'the', 'sky'" in result["content"]
    assert talk.notices == []


def test_what_does_not_ground_twice_is_dropped_with_a_notice(converse):
    bad = api.item("paint the sky at 40 %")
    talk = converse(api.answer(api.plan(api.item(DIM), bad)), api.answer(api.plan(bad)))
    talk.play(10)
    assert set(talk.texts(1)) == {DIM}
    (notice,) = talk.notices
    assert notice.startswith('dropped from Claude\'s plan at episode 9: "paint the sky at 40 %" (not understood:')
    (dropped,) = rows(talk.folder, "dropped")
    assert dropped["what"] == "paint the sky at 40 %"
    assert talk.claude.scalars()["claude/dropped"] == 1


@pytest.mark.parametrize(
    ("useless", "reason"),
    [
        (api.words, "the tool 'propose_plan' was not called"),
        (api.answer(api.call("propose_plan", {"plan": 3})), "'proposals' must be a list"),
        (api.answer(api.plan(api.item(DIM, weight=-1))), "weight: Input should be greater than 0"),
        (api.answer(api.plan(api.item(DIM, color="red"))), "color: Extra inputs are not permitted"),
        (api.answer(api.message([], "max_tokens")), "cut off at max_tokens"),
        (api.answer(api.message([], "refusal")), "refused to answer"),
    ],
)
def test_a_useless_answer_goes_back_once_and_then_the_fallback_goes_on(converse, useless, reason):
    talk = converse(useless, useless, fallback={"use": "static", "prompts": [SHIFT]})
    assert set(talk.texts(14)) == {SHIFT}
    assert len(talk.server.requests) == 2
    assert reason in json.dumps(talk.server.requests[1]["messages"][2])
    assert reason in talk.notices[0]
    assert "nothing of the answer can be used" in talk.notices[1]
    assert "The fallback 'static' proposes" in talk.notices[1]


ODD = api.plan(api.item(DIM))
CONTENT, USAGE = ODD["content"], ODD["usage"]


@pytest.mark.parametrize(
    "response",
    [
        {**ODD, "usage": {**USAGE, "cache_read_input_tokens": "many"}},
        {**ODD, "usage": {**USAGE, "output_tokens": -5}},
        {**ODD, "usage": None},
        {**ODD, "stop_reason": None},
        {**ODD, "content": None},
        {**ODD, "content": [3, "x", None]},
        {**ODD, "content": [{"type": "tool_use", "id": 5, "name": 7, "input": []}]},
        {**ODD, "content": [{"type": "tool_use", "name": "propose_plan", "input": {"proposals": [[], 1, None, "x"]}}]},
        {**ODD, "content": [{"type": "never heard of"}, *CONTENT[:0]]},
        api.plan(api.item("dim " * 10_000)),
        api.plan(api.item(DIM, weight="NaN"), api.item(DIM, weight=1e308)),
        api.plan(api.item("summon \x1b[31m a \ud800 gremlin\n")),
        api.plan(api.item(DIM, why="\ud800")),
        [],
        None,
        "text",
    ],
)
def test_no_response_whatever_it_holds_stops_training(converse, response):
    talk = converse(api.answer(response), fallback={"use": "static", "prompts": [SHIFT]})
    assert len(talk.play(60)) == 60
    for text in (*talk.notices, *(why for proposals in talk.play(40) for p in proposals for why in (p.text, p.why))):
        assert text.isprintable()
    assert DIM in talk.texts(40)


@pytest.mark.parametrize(
    ("behavior", "words"),
    [
        (api.RATE_LIMIT, "rate limit"),
        (api.OVERLOADED, "overloaded"),
        (api.SERVER_ERROR, "HTTP 500"),
        (api.malformed, "something else than an answer"),
        (api.cut, "connection was lost"),
    ],
)
def test_a_failure_is_a_notice_and_the_next_question_comes_later(converse, behavior, words):
    talk = converse(behavior, fallback={"use": "static", "prompts": [SHIFT]})
    assert talk.texts(20) == [SHIFT] * 14 + [DIM] * 6
    (notice,) = talk.notices
    assert words in notice
    assert "asked again after 5 episodes" in notice
    (failed,) = rows(talk.folder, "failed")
    assert words in failed["trouble"]["text"]
    assert talk.claude.scalars()["claude/errors"] == 1


def test_further_failures_in_a_row_double_the_pause(converse):
    talk = converse(*[api.SERVER_ERROR] * 6, apply_after=1)
    talk.play(400)
    asked = [row["episode"] for row in rows(talk.folder, "asked")]
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps[:6] == [6, 11, 21, 41, 41, 41]


def test_a_key_that_is_refused_is_not_tried_again(converse):
    talk = converse(api.unauthorized)
    talk.play(100)
    assert len(talk.server.requests) == 1
    assert "It is not asked again" in talk.notices[0]


def test_without_a_key_the_fallback_proposes_and_the_notice_names_the_variable(converse, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    talk = converse(fallback={"use": "static", "prompts": [SHIFT]})
    assert set(talk.texts(50)) == {SHIFT}
    (notice,) = talk.notices
    assert "ANTHROPIC_API_KEY is not set" in notice
    assert "The fallback 'static' proposes" in notice
    assert talk.server.requests == []


def test_a_stale_plan_is_given_up(converse):
    script = api.answer(api.plan(api.item(DIM))), *[api.SERVER_ERROR] * 20
    talk = converse(*script, stale_after=30, fallback={"use": "static", "prompts": [SHIFT]})
    assert talk.texts(45) == [SHIFT] * 7 + [DIM] * 30 + [SHIFT] * 8
    assert any("the plan of episode 7 is stale at episode 37" in notice for notice in talk.notices)


def test_what_the_guard_refuses_thrice_leaves_the_plan_and_is_told(converse):
    script = api.plan(api.item(DIM), api.item(SHIFT))
    talk = converse(api.answer(script), fallback={"use": "static", "prompts": ["shrink the goal at 20 %"]}, ask_every=9)
    talk.play(11)
    slot = Slot(0, talk.episode, 0)
    while (proposal := talk.claude.propose(slot, EMPTY)[0]).text != "shrink the goal at 20 %":
        talk.claude.refuse(slot)
    assert proposal.text == "shrink the goal at 20 %"
    assert "the guard refused every proposal" in talk.notices[-1]
    talk.play(12)
    told = talk.server.requests[1]["messages"][0]["content"][0]["text"]
    assert "refused 3 times as unsolvable" in told


def test_the_budget_is_kept_and_the_run_goes_on(converse):
    talk = converse(max_cost_usd=0.1, max_tokens=4096)
    talk.play(200)
    spent = talk.claude.scalars()["claude/cost_usd"]
    assert 0 < spent <= 0.1
    assert len(talk.server.requests) == talk.claude.scalars()["claude/calls"]
    assert len(talk.server.requests) < 10
    (notice,) = [notice for notice in talk.notices if "max_cost_usd = 0.1 USD" in notice]
    assert "could exceed it" in notice


def test_an_unknown_model_needs_prices():
    with pytest.raises(ValidationError, match=r"price of 'claude-sonnet-9' is not known.*usd_per_million_input"):
        Claude.Options.model_validate({"model": "claude-sonnet-9"})
    given = {"usd_per_million_input": 1, "usd_per_million_output": 5}
    assert Claude.Options.model_validate({"model": "claude-sonnet-9", **given}).price().output == 5


def test_claude_cannot_stand_in_for_itself():
    with pytest.raises(ValidationError, match="must be another curriculum than 'claude'"):
        Claude.Options.model_validate({"fallback": {"use": "claude"}})


def test_an_answer_with_what_looks_like_a_picture_goes_back_like_any_other(converse):
    talk = converse(api.answer(api.plan({"type": "image"})), api.answer(api.plan(api.item(DIM))))
    assert DIM in talk.texts(20)


def test_a_reason_is_told_in_brief_however_long_an_answer_is(converse):
    many = {"k" * 500 + str(number): 1 for number in range(200)}
    talk = converse(*[api.answer(api.plan(many))] * 2)
    talk.play(20)
    assert 0 < max(map(len, talk.notices)) < 1000
