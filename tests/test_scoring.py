"""Reward, test of success, monitors and the watch in a closed loop on the point-mass world."""

from __future__ import annotations

import numpy as np
import pytest

from adversarl.interfaces.reward import RewardDetector, RewardOptions, Score
from adversarl.scoring import Scoring
from adversarl.watch import WatchOptions


class Says(RewardDetector):
    """Says yes from a step of each episode on, and as a test of success what it is told to say."""

    def __init__(self, after=None, at_the_end=True):
        super().__init__(RewardOptions())
        self.after, self.at_the_end, self.age, self.closed, self.told = after, at_the_end, np.zeros(0), 0, None

    def begin(self, frames, starting, task=""):
        if len(self.age) != len(frames):
            self.age = np.zeros(len(frames))
        self.age[starting] = 0

    def score(self, step):
        self.age = self.age + 1 if len(self.age) else np.ones(len(step.frames))
        yes = np.zeros(len(self.age), bool) if self.after is None else self.age >= self.after
        return Score(np.full(len(self.age), 0.5), yes)

    def verdict(self, step, ended):
        return np.full(int(ended.sum()), self.at_the_end)

    def reasons(self):
        return tuple(f"step {age:.0f}" for age in self.age)

    def scalars(self):
        return {"cost_usd": 0.25}

    def connect(self, notice, folder):
        self.told = notice

    def close(self):
        self.closed += 1

    def state_dict(self):
        return {"age": self.age.copy()}

    def load_state_dict(self, state):
        self.age = state["age"]


QUIET = WatchOptions(on_alarm="warn")


def teach(bench, steps):
    return [bench.loop.step(bench.loop.teacher(range(2))) for _ in range(steps)]


def test_an_episode_ends_when_the_detector_says_so_and_not_when_the_simulator_does(make_bench):
    bench = make_bench(max_episode_steps=40, reward=Says(after=30), watch=QUIET)
    bench.loop.reset(seed=0)
    results = teach(bench, 30)
    assert not any(r[2].any() or r[3].any() for r in results[:-1])
    assert results[-1][2].all()
    first, second = bench.heard.episodes
    assert (first.length, first.success, first.truncated, first.state_success) == (30, True, False, True)
    assert second.state_success is True


def test_the_time_is_up_even_where_the_simulator_calls_it_solved(make_bench):
    bench = make_bench(max_episode_steps=40, reward=Says(), watch=QUIET)
    bench.loop.reset(seed=0)
    results = teach(bench, 40)
    assert results[-1][3].all()
    assert not results[-1][2].any()
    assert [(e.success, e.state_success) for e in bench.heard.episodes] == [(False, True)] * 2


def test_the_truth_makes_no_difference(make_bench):
    bench = make_bench(max_episode_steps=40)
    bench.loop.reset(seed=0)
    teach(bench, 60)
    assert bench.heard.episodes
    assert all(e.success == e.state_success and e.verdicts == () for e in bench.heard.episodes)
    assert not bench.loop.scoring.watches


def test_a_test_of_success_decides_what_an_ended_episode_was(make_bench):
    bench = make_bench(max_episode_steps=5, reward=Says(after=3), verdict=Says(at_the_end=False), watch=QUIET)
    bench.loop.reset(seed=0)
    results = bench.play(3)
    assert results[-1][2].all()
    assert not results[-1][4]["success"].any()
    assert [e.success for e in bench.heard.episodes] == [False, False]
    bench = make_bench(max_episode_steps=3, reward=Says(), verdict=Says(at_the_end=True), watch=QUIET)
    bench.loop.reset(seed=0)
    results = bench.play(3)
    assert results[-1][3].all()
    assert results[-1][4]["success"].all()


def test_monitors_look_on_and_change_nothing(make_bench):
    alone, watched = make_bench(), make_bench(monitors={"eager": Says(after=1), "never": Says()}, watch=QUIET)
    for bench in (alone, watched):
        bench.loop.reset(seed=0)
    for here, there in zip(alone.play(25), watched.play(25), strict=True):
        assert np.array_equal(here[1], there[1])
        assert np.array_equal(here[2], there[2])
    verdicts = [e.verdicts for e in watched.heard.episodes]
    assert verdicts
    assert all(
        [(v.detector, v.success) for v in said] == [("monitor/eager", True), ("monitor/never", False)]
        for said in verdicts
    )
    assert verdicts[0][0].reason == "step 10"


def test_what_is_said_of_one_episode_is_not_said_of_the_next(make_bench):
    class Once(Says):
        def score(self, step):
            found = super().score(step)
            return Score(found.reward, (self.age == 2) & (self.episodes == 0))

        def begin(self, frames, starting, task=""):
            super().begin(frames, starting, task)
            self.episodes = getattr(self, "episodes", -1) + 1

    bench = make_bench(max_episode_steps=4, monitors={"once": Once()}, watch=QUIET)
    bench.loop.reset(seed=0)
    bench.play(8)
    assert [e.verdicts[0].success for e in bench.heard.episodes] == [True, True, False, False]


def test_a_reward_that_always_says_yes_raises_an_alarm_and_asks_for_a_stop(make_bench):
    bench = make_bench(max_episode_steps=5, reward=Says(after=1), name="eager")
    told = []
    bench.loop.scoring.connect(told.append, None)
    bench.loop.reset(seed=0)
    bench.play(10)
    assert bench.loop.scoring.alarm.startswith("the detector 'eager' called ")
    assert told == [f"reward hacking watch: {bench.loop.scoring.alarm}"]
    assert bench.loop.scalars()["watch/alarms"] == 1


@pytest.mark.parametrize("who", ["warned", "monitor"])
def test_a_warning_or_a_monitor_stops_nothing(make_bench, who):
    if who == "warned":
        bench = make_bench(max_episode_steps=5, reward=Says(after=1), watch=QUIET)
    else:
        bench = make_bench(max_episode_steps=5, monitors={"eager": Says(after=1)})
    told = []
    bench.loop.scoring.connect(told.append, None)
    bench.loop.reset(seed=0)
    bench.play(60)
    assert bench.loop.scoring.alarm == ""
    assert told
    prefix = "watch" if who == "warned" else "watch/eager"
    assert bench.loop.scalars()[f"{prefix}/alarms"] >= 1


def test_a_world_that_knows_no_truth_is_not_watched(make_bench):
    bench = make_bench(max_episode_steps=5)
    bench.loop.world.truth = False
    scoring = Scoring(make_bench(reward=Says(after=1)).loop.parts.detectors, bench.loop.world)
    assert scoring.watches == {}
    assert scoring.finish(0, success=True)[0] is None


def test_an_exhausted_reward_or_test_stops_the_loop_and_a_monitor_does_not(make_bench):
    spent = Says()
    spent.exhausted = "2 USD are spent"
    for place, reason in (("reward", spent.exhausted), ("verdict", spent.exhausted)):
        assert make_bench(**{place: spent}).loop.exhausted == reason
    assert make_bench(monitors={"spent": spent}).loop.exhausted == ""


def test_scalars_say_whose_they_are(make_bench):
    bench = make_bench(reward=Says(), verdict=Says(), monitors={"eager": Says()}, watch=QUIET)
    found = bench.loop.scalars()
    assert {key for key in found if key.endswith("cost_usd")} == {
        "reward/cost_usd",
        "verdict/cost_usd",
        "monitor/eager/cost_usd",
    }


def test_a_loop_closes_every_detector(make_bench):
    class Stuck(Says):
        def close(self):
            super().close()
            raise RuntimeError("stuck")

    parts = {"reward": Says(), "verdict": Stuck(), "monitors": {"eager": Says()}}
    bench = make_bench(**parts)
    with pytest.raises(RuntimeError, match="stuck"):
        bench.loop.close()
    assert [parts["reward"].closed, parts["verdict"].closed, parts["monitors"]["eager"].closed] == [1, 1, 1]


def test_a_resumed_loop_goes_on_with_what_was_said(make_bench):
    def bench():
        return make_bench(max_episode_steps=7, reward=Says(after=6), monitors={"eager": Says(after=2)}, watch=QUIET)

    first, second = bench(), bench()
    first.loop.reset(seed=0)
    second.loop.reset(seed=3)
    first.play(10)
    second.loop.rewind(first.loop.snapshot())
    heard = len(first.heard.episodes), len(second.heard.episodes)
    for here, there in zip(first.play(20, seed=5), second.play(20, seed=5), strict=True):
        assert np.array_equal(here[2], there[2])
    assert first.heard.episodes[heard[0] :] == second.heard.episodes[heard[1] :]
    assert first.loop.scalars() == second.loop.scalars()
