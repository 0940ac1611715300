"""The reward detector by itself, against a real server."""

import json
import threading
import time

import looking_server as looking
import messages_server as api
import numpy as np
import pytest
from adversarl_claude.judging import Memory, Sight
from adversarl_claude.meter import worst_case_usd
from adversarl_claude.reward import ClaudeReward

from adversarl.interfaces.reward import Step
from adversarl.testing import checks_for

TASK = "pick up the cube"
QUICK = {"timeout_s": 5.0, "deadline_s": 10.0, "max_retries": 0, "delay": 0}


def sights(*several):
    return api.answer(api.call("judge_pictures", {"pictures": list(several)}))


def said(picture, solved=True, confidence=0.9, progress=1.0):
    return looking.entry(picture, "the cube is in the air", solved, confidence, progress)


def frames(*shades):
    return np.stack([np.full((32, 32, 3), shade, np.uint8) for shade in shades])


class Judging:
    """A detector, its notices, its folder, and the server that it asks."""

    def __init__(self, folder, server, **options):
        table = {"base_url": server and server.url, **QUICK, **options}
        self.folder, self.server, self.notices = folder, server, []
        self.claude = ClaudeReward(ClaudeReward.Options.model_validate(table))
        self.claude.connect(self.notices.append, folder)

    def see(self, *shades, task=TASK):
        return self.claude.judge(frames(*shades), task)

    def rows(self, event, source="reward"):
        lines = map(json.loads, (self.folder / "claude.jsonl").read_text().splitlines())
        return [row for row in lines if row["event"] == event and row["source"] == source]


@pytest.fixture
def judging(tmp_path, serve):
    several = []

    def start(*script, server=None, default=looking.look, **options):
        several.append(Judging(tmp_path, server or serve(*script, default=default), **options))
        return several[-1]

    yield start
    for one in several:
        one.claude.close()


@pytest.mark.parametrize("check", checks_for("reward"))
def test_the_promises_of_a_reward_detector_are_kept(check, serve):
    server = serve(default=looking.look)
    check(ClaudeReward, ClaudeReward.Options(base_url=server.url, model="claude-haiku-5-5"))


def test_an_answer_is_a_probability_a_progress_and_a_reason(judging):
    judge = judging(sights(said(1, confidence=0.8), said(2, solved=False, progress=0.4)))
    found = judge.see(1, 2)
    assert found.probability == pytest.approx([0.8, 0.1])
    assert found.progress == pytest.approx([1.0, 0.4])
    assert found.reasons == ("the cube is in the air",) * 2


@pytest.mark.parametrize(
    ("solved", "confidence", "probability"),
    [(True, 0.9, 0.9), (False, 0.9, 0.1), (True, 0.5, 0.5), (True, 0.2, 0.5), (False, 0.0, 0.5)],
)
def test_who_is_less_sure_of_an_answer_than_of_its_opposite_knows_nothing(solved, confidence, probability):
    sight = Sight(picture=1, shows="", solved=solved, confidence=confidence, progress=0.0)
    assert sight.probability == pytest.approx(probability)


def test_a_question_shows_enlarged_pictures_the_task_and_what_solved_looks_like(judging):
    judge = judging(solved_when="the cube is clear of the table")
    judge.see(1, 2)
    (request,) = judge.server.requests
    texts = [block["text"] for block in request["messages"][0]["content"] if block["type"] == "text"]
    assert texts == ["Picture 1:", "Picture 2:", "2 picture(s). Call judge_pictures now."]
    assert [picture.shape for picture in looking.pictures_of(request)] == [(256, 256, 3)] * 2
    (static,) = request["system"]
    assert static["text"].endswith("The task: pick up the cube. It is solved when: the cube is clear of the table.\n")
    assert static["cache_control"] == {"type": "ephemeral"}
    (tool,) = request["tools"]
    assert tool["strict"]
    assert list(tool["input_schema"]["$defs"]["Sight"]["properties"])[1:3] == ["shows", "solved"]


def test_several_pictures_share_a_question_and_questions_go_out_together(judging):
    together = threading.Barrier(3, timeout=5.0)

    def all_at_once(handler, request):
        together.wait()
        looking.look(handler, request)

    judge = judging(default=all_at_once, frames_per_question=2)
    found = judge.see(1, 2, 3, 4, 5)
    assert not np.isnan(found.probability).any()
    assert sorted(len(looking.pictures_of(request)) for request in judge.server.requests) == [1, 2, 2]


def test_an_equal_picture_is_paid_once_for_each_task(judging):
    judge = judging()
    twice = judge.see(7, 7, 8)
    assert twice.probability[0] == twice.probability[1]
    assert judge.see(8, 7).reasons == twice.reasons[1:]
    assert [len(looking.pictures_of(request)) for request in judge.server.requests] == [2]
    judge.see(7, task="push the cube")
    assert len(judge.server.requests) == 2
    assert judge.claude.scalars()["cached"] == pytest.approx(3 / 6)


def test_what_was_not_asked_for_the_longest_time_is_forgotten_first():
    memory, sight = Memory(2), Sight(picture=1, shows="", solved=True, confidence=1.0, progress=1.0)
    for name in ("a", "b"):
        memory.put(name, sight)
    assert memory.get("a") == sight
    memory.put("c", sight)
    again = Memory(2)
    again.load_state_dict(json.loads(json.dumps(memory.state_dict())))
    assert [again.get(name) for name in ("a", "b", "c")] == [sight, None, sight]


def test_no_question_is_asked_that_could_exceed_the_budget(judging):
    judge = judging(frames_per_question=1)
    judge.see(0)
    worst = worst_case_usd(judge.server.requests[0], judge.claude.asker.meter.price)
    spent = judge.claude.scalars()["cost_usd"]
    poor = judging(frames_per_question=1, max_cost_usd=worst + 2.5 * spent)
    found = poor.see(*range(1, 9))
    assert np.isnan(found.probability).tolist() == [False] * 3 + [True] * 5
    assert poor.claude.scalars()["cost_usd"] <= poor.claude.options.max_cost_usd
    limit = poor.claude.options.max_cost_usd
    assert poor.claude.exhausted == (
        f"{3 * spent:.4f} of max_cost_usd = {limit:g} USD are spent, and the next question to Claude could exceed it. "
        "Set a higher max_cost_usd"
    )
    assert not np.isnan(poor.see(2, 3).probability).any()
    assert np.isnan(poor.see(9).probability).all()
    assert len(poor.server.requests) == 3
    poor.claude.scalars()
    assert poor.notices == [f"{poor.claude.exhausted}. The detector abstains"]


def test_without_a_key_nothing_is_asked_and_the_user_is_told_what_to_do(judging, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    judge = judging()
    assert judge.claude.exhausted == ""
    assert np.isnan(judge.see(1, 2).probability).all()
    judge.see(3)
    judge.claude.scalars()
    how = "Set it in the environment: export ANTHROPIC_API_KEY=KEY"
    why = f"ANTHROPIC_API_KEY is not set, so Claude cannot be asked. {how}"
    assert judge.claude.exhausted == why
    assert judge.notices == [f"{why}. The detector abstains"]
    assert judge.server.requests == []


def test_a_key_that_is_refused_is_not_tried_again(judging, key):
    judge = judging(default=api.unauthorized)
    judge.see(1)
    judge.see(2)
    judge.claude.scalars()
    assert len(judge.server.requests) == 1
    assert judge.claude.exhausted.startswith("Claude cannot be asked: the service does not accept the key")
    assert key not in str((judge.claude.exhausted, judge.notices, (judge.folder / "claude.jsonl").read_text()))


@pytest.mark.parametrize(
    ("behavior", "words"),
    [
        (api.OVERLOADED, "the service is overloaded"),
        (api.RATE_LIMIT, "the rate limit is reached"),
        (api.malformed, "the service sent something else than an answer"),
        (api.cut, "the connection was lost"),
    ],
)
def test_where_there_is_no_answer_it_abstains_and_says_so_once(judging, behavior, words):
    judge = judging(behavior, behavior)
    for shade in (1, 2, 3):
        found = judge.see(shade)
        assert np.isnan(found.probability).all() == np.isnan(found.progress).all() == (shade < 3)
    scalars = judge.claude.scalars()
    (notice,) = judge.notices
    assert notice.startswith(f"Claude gave no usable answer: {words}")
    assert notice.endswith("The detector abstains meanwhile")
    assert (scalars["calls"], scalars["errors"]) == (3, 2)
    assert judge.claude.exhausted == ""


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        (looking.malformed_input, "pictures.0.confidence: Input should be a valid number"),
        (looking.too_few, "one entry is needed for each picture from 1 to 2; there are: 1"),
        (sights(said(1), said(1)), "one entry is needed for each picture from 1 to 2; there are: 1, 1"),
        (sights(said(1), said(2, confidence=1.5)), "pictures.1.confidence: Input should be less than or equal to 1"),
        (api.words, "the tool 'judge_pictures' was not called"),
    ],
)
def test_an_answer_that_cannot_be_used_goes_back_once(judging, behavior, reason):
    judge = judging(behavior)
    assert not np.isnan(judge.see(1, 2).probability).any()
    _, again = judge.server.requests
    assert reason in json.dumps(again["messages"][-1]["content"])
    stubborn = judging(behavior, behavior)
    assert np.isnan(stubborn.see(3, 4).probability).all()
    scalars = stubborn.claude.scalars()
    assert (len(stubborn.server.requests), scalars["dropped"], scalars["errors"]) == (2, 1, 0)
    (notice,) = stubborn.notices
    assert reason in notice
    (dropped,) = stubborn.rows("dropped", "reward-2")
    assert reason in dropped["why"]


def test_a_service_that_stays_away_is_asked_less_often_and_then_given_up(judging, serve):
    gone = serve()
    gone.close()
    judge = judging(server=gone, give_up_after=70)
    asked = []
    for shade in range(70):
        before = judge.claude.scalars()["calls"]
        assert np.isnan(judge.see(shade).probability).all()
        asked += [shade] * int(judge.claude.scalars()["calls"] - before)
        assert bool(judge.claude.exhausted) == (shade == 69)
    assert asked == [0, 1, 2, 4, 8, 16, 32, 64]
    assert judge.claude.exhausted == "Claude gave no usable answer in 70 judgements on end"
    assert len(judge.notices) == 2


def test_pictures_are_recorded_by_their_hash_unless_they_are_wanted(judging):
    judging(record_pictures=False).see(1)
    thrifty, whole = judging(), judging(record_pictures=True)
    whole.see(1)
    (asked,) = thrifty.rows("asked")
    assert asked["messages"][0]["content"][1]["source"]["data"].startswith("sha256:")
    (asked,) = whole.rows("asked", "reward-3")
    assert asked["messages"] == whole.server.requests[0]["messages"]


def test_detectors_of_one_run_have_a_budget_and_a_record_each(judging):
    first, second = judging(), judging()
    first.see(1)
    second.see(1, 2)
    assert [len(first.rows("answered", source)) for source in ("reward", "reward-2")] == [1, 1]
    assert 0 < first.claude.scalars()["cost_usd"] < second.claude.scalars()["cost_usd"]


def test_faults_cost_answers_and_never_a_wrong_one(judging):
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 255, (120, 16, 16, 3)).astype(np.uint8)
    moody = looking.Moody(0.4)
    judge = judging(default=moody, max_retries=1, frames_per_question=1)
    calm = judging()
    found = np.concatenate([judge.claude.judge(shown[n : n + 8], TASK).probability for n in range(0, 120, 8)])
    truth = calm.claude.judge(shown, TASK).probability
    judged = ~np.isnan(found)
    assert set(looking.FAULTS) <= set(moody.met)
    assert 60 < judged.sum() < 120
    assert np.array_equal(found[judged], truth[judged])
    scalars = judge.claude.scalars()
    assert scalars["errors"] + scalars["dropped"] == 120 - judged.sum()
    assert scalars["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in judge.rows("answered")))


def steps(count, num_envs=2):
    """Steps that all look different."""
    nothing, never = np.zeros(num_envs), np.zeros(num_envs, bool)
    return [Step(frames(*range(n * num_envs, (n + 1) * num_envs)), TASK, nothing, never) for n in range(1, count + 1)]


def test_a_slow_service_is_not_waited_for_before_its_answer_is_due(judging):
    go_on = threading.Event()

    def held(handler, request):
        go_on.wait(20.0)
        looking.look(handler, request)

    judge = judging(default=held, every=1, delay=8)
    for step in steps(8):
        judge.claude.score(step)
    assert judge.claude.scalars()["calls"] == 0
    go_on.set()
    judge.claude.score(steps(9)[8])
    assert judge.claude.scalars()["calls"] >= 1


def test_a_question_on_its_way_does_not_hold_up_the_end(judging):
    judge = judging(default=api.slow, every=1, delay=50, timeout_s=60.0, deadline_s=60.0)
    before = set(threading.enumerate())
    judge.claude.score(steps(1)[0])
    while not judge.server.requests:
        time.sleep(0.01)
    judge.claude.close()
    assert {t for t in set(threading.enumerate()) - before if "process_request" not in t.name} == set()


@pytest.mark.parametrize("delay", [0, 6])
def test_a_resumed_detector_goes_on_as_if_nothing_had_happened(judging, delay):
    moody = looking.Moody(0.3)
    options = {"default": moody, "every": 2, "delay": delay, "confidence": 0.5, "frames_per_question": 1}
    played = steps(40)
    whole = judging(**options)
    scores = [whole.claude.score(step) for step in played]
    whole.claude.state_dict()  # waits for what is on its way
    whole.claude.close()
    (whole.folder / "claude.jsonl").unlink()
    moody._asked.clear()
    first = judging(**options)
    for step in played[:15]:
        first.claude.score(step)
    state = first.claude.state_dict()
    for step in played[15:33]:
        first.claude.score(step)
    first.claude.state_dict()
    first.claude.close()
    again = judging(**options)
    again.claude.load_state_dict(state)
    for step, expected in zip(played[15:], scores[15:], strict=True):
        score = again.claude.score(step)
        assert np.array_equal(score.reward, expected.reward)
        assert np.array_equal(score.success, expected.success)
    again.claude.state_dict()
    kept = {name: value for name, value in again.claude.scalars().items() if name != "ms_per_frame"}
    assert kept == {name: value for name, value in whole.claude.scalars().items() if name in kept}
    assert len(first.server.requests + again.server.requests) == len(whole.server.requests)


def test_a_run_that_had_to_stop_tries_anew_when_it_is_resumed(judging, monkeypatch, key):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    stopped = judging()
    stopped.see(1)
    state = stopped.claude.state_dict()
    stopped.claude.close()
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    again = judging()
    again.claude.load_state_dict(state)
    assert again.claude.exhausted == ""
    assert not np.isnan(again.see(1).probability).any()


def test_what_is_on_record_needs_no_key(judging, monkeypatch):
    first = judging()
    seen = first.see(1, 2)
    first.claude.close()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    again = judging()
    assert np.array_equal(again.see(1, 2).probability, seen.probability)
    assert again.claude.exhausted == ""
    assert again.claude.scalars()["cost_usd"] == first.claude.scalars()["cost_usd"]
    assert again.server.requests == []
