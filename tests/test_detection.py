"""`FrameDetector`: cadence, delay, abstention, patience and reward, on pictures that tell their own verdict."""

from __future__ import annotations

import threading
from copy import deepcopy

import numpy as np
import pytest
from pydantic import ValidationError

from adversarl.detection import FrameDetector, FrameOptions, Judgement, Patience
from adversarl.errors import NotTrainable
from adversarl.interfaces.reward import Step


class Reads(FrameDetector):
    """Reads probability from a picture's red, progress from its green; blue 255 is silence."""

    def __init__(self, options):
        super().__init__(options)
        self.seen = []
        self.threads = set()

    def judge(self, frames, task):
        self.seen.append((len(frames), task))
        self.threads.add(threading.current_thread().name)
        red, green, blue = (frames[:, 0, 0, channel] / 255 for channel in range(3))
        probability = np.where(blue == 1, np.nan, red)
        return Judgement(probability, green.astype(float), tuple(f"red is {value:.2f}" for value in red))


def detector(**options):
    plain = {"hold": 1, "progress": 0, "bonus": 0, "step_cost": 0}
    return Reads(FrameOptions.model_validate(plain | options))


def frames(*probabilities, progress=0.0, silent=()):
    pictures = np.zeros((len(probabilities), 2, 2, 3), np.uint8)
    pictures[..., 0] = np.round(255 * np.array(probabilities))[:, None, None]
    pictures[..., 1] = np.round(255 * progress)
    pictures[list(silent), ..., 2] = 255
    return pictures


def step(pictures, ending=None):
    n = len(pictures)
    return Step(pictures, "lift", np.zeros(n), np.zeros(n, bool), ending)


def says(made, *course, ending=None):
    """Success after each picture of a course in one environment."""
    return [bool(made.score(step(frames(p), ending)).success[0]) for p in course]


def test_success_needs_as_many_pictures_on_end_as_hold_says():
    assert says(detector(hold=3), 1, 1, 0, 1, 1, 1, 1) == [False] * 5 + [True, True]


def test_once_yes_a_picture_says_no_only_below_release():
    assert says(detector(hold=3, threshold=0.8, release=0.4), 0.9, 0.5, 0.5) == [False, False, True]
    assert says(detector(hold=3, threshold=0.8), 0.9, 0.5, 0.9) == [False, False, False]
    assert says(detector(hold=2, threshold=0.8, release=0.4), 0.5, 0.5, 0.9) == [False, False, False]


def test_an_unsure_picture_neither_prolongs_a_streak_nor_ends_it():
    made = detector(hold=2, threshold=0.5, confidence=0.7)
    assert says(made, 0.9, 0.6, 0.9) == [False, False, True]
    assert made.scalars()["unsure"] == pytest.approx(1 / 3)


def test_a_silent_picture_counts_as_none():
    made = detector(hold=2)
    course = [frames(1), frames(1, silent=[0]), frames(1)]
    assert [bool(made.score(step(f)).success[0]) for f in course] == [False, False, True]


def test_release_above_threshold_is_refused():
    with pytest.raises(ValidationError, match=r"release = 0.9 must not be above threshold = 0.5"):
        FrameOptions(threshold=0.5, release=0.9)


def test_the_reward_is_the_progress_made_and_the_bonus_less_the_cost():
    made = detector(progress=4, bonus=2, step_cost=0.25)
    start = np.array([True])
    made.begin(frames(0, progress=0.2), start, "lift")
    assert made.score(step(frames(0, progress=0.6))).reward == pytest.approx([4 * 0.4 - 0.25])
    assert made.score(step(frames(0, progress=0.4))).reward == pytest.approx([4 * -0.2 - 0.25])
    assert made.score(step(frames(1, progress=1.0))).reward == pytest.approx([4 * 0.6 + 2 - 0.25])


def test_progress_goes_round_in_circles_for_nothing():
    made = detector(progress=4)
    made.begin(frames(0, progress=0.2), np.array([True]), "lift")
    course = [0.8, 0.2] * 5
    assert sum(made.score(step(frames(0, progress=p))).reward[0] for p in course) == pytest.approx(0)


def test_without_begin_the_first_picture_stands_for_the_start():
    made = detector(progress=4)
    assert made.score(step(frames(0, progress=0.9))).reward == pytest.approx([0])
    assert made.score(step(frames(0, progress=0.5))).reward == pytest.approx([-1.6], abs=0.02)


def test_pictures_are_judged_at_the_cadence_and_when_the_time_is_up():
    made = detector(every=3)
    for number in range(1, 8):
        made.score(step(frames(0, 0), np.array([False, number == 7])))
    assert [count for count, _ in made.seen] == [2, 2, 1]


def test_environments_keep_their_own_cadence():
    made = detector(every=2)
    made.score(step(frames(0, 0)))
    made.begin(frames(0, 0), np.array([False, True]))
    for _ in range(2):
        made.score(step(frames(0, 0)))
    assert [count for count, _ in made.seen] == [1, 1]


def test_a_delayed_verdict_is_used_exactly_so_many_steps_later_and_judged_elsewhere():
    made = detector(delay=2)
    assert says(made, 1, 0, 0, 0) == [False, False, True, False]
    assert threading.current_thread().name not in made.threads
    made.close()


def test_a_delayed_verdict_is_used_when_the_time_is_up():
    made = detector(delay=5)
    assert says(made, 0, 0) == [False, False]
    assert says(made, 1, ending=np.array([True])) == [True]
    made.close()


def test_verdicts_of_an_episode_that_is_over_are_dropped():
    made = detector(delay=2, progress=1)
    made.score(step(frames(1, 1)))
    made.begin(frames(0, 0), np.array([True, False]))
    found = [made.score(step(frames(0, 0))).success.tolist() for _ in range(2)]
    assert found == [[False, False], [False, True]]
    made.close()


@pytest.mark.parametrize("delay", [0, 3])
def test_a_resumed_detector_goes_on_in_the_middle_of_everything(delay):
    options = {"delay": delay, "hold": 2, "every": 2, "progress": 1, "release": 0.3}
    rng = np.random.default_rng(0)
    course = [frames(*rng.uniform(size=3), progress=rng.uniform()) for _ in range(30)]
    first, second = detector(**options), detector(**options)
    first.begin(course[0], np.ones(3, bool))
    for pictures in course[1:14]:
        first.score(step(pictures))
    second.load_state_dict(deepcopy(first.state_dict()))
    for pictures in course[14:]:
        here, there = first.score(step(pictures)), second.score(step(pictures))
        assert np.array_equal(here.reward, there.reward)
        assert np.array_equal(here.success, there.success)
    first.close()
    second.close()


def test_a_test_of_success_looks_at_the_last_picture_alone():
    made = detector(hold=5, confidence=0.7)
    found = made.verdict(step(frames(0.9, 0.1, 0.6, 0.9)), np.array([True, True, True, False]))
    assert found.tolist() == [True, False, False]
    assert made.seen == [(3, "lift")]


def test_reasons_belong_to_environments():
    made = detector(every=2)
    made.score(step(frames(0.2, 0.4)))
    assert made.reasons() == ("", "")
    made.begin(frames(0, 0), np.array([True, False]))
    made.score(step(frames(0.2, 0.4)))
    assert made.reasons() == ("", "red is 0.40")


def test_an_error_in_the_background_is_not_lost():
    class Fails(Reads):
        def judge(self, frames, task):
            raise ValueError("no such picture")

    made = Fails(FrameOptions(delay=1, progress=0))
    made.score(step(frames(0)))
    with pytest.raises(ValueError, match="no such picture"):
        made.score(step(frames(0)))
    made.close()


def test_a_detector_that_has_nothing_to_train_says_so(tmp_path):
    with pytest.raises(NotTrainable, match="Reads has nothing to train"):
        Reads.fit(FrameOptions(), None, None, tmp_path / "x", seed=0)


def test_it_tells_how_many_pictures_it_judged_and_how_fast():
    made = detector()
    made.score(step(frames(0, 1, 0)))
    found = made.scalars()
    assert found["frames"] == 3
    assert found["ms_per_frame"] > 0


def test_patience_is_kept_for_each_environment():
    patience = Patience(FrameOptions(hold=2), 3)
    patience.update(np.array([0, 2]), np.array([1.0, 1.0]))
    assert patience.streak.tolist() == [1, 0, 1]
    assert patience.update(np.array([1, 2]), np.array([1.0, 1.0])).tolist() == [False, True]
