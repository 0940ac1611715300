"""Tests of the reward detector `goal-image`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.goal import GoalImage, GoalImageOptions
from adversarl_odyssey.goal_pictures import KEPT, SIZE, Goal, ending, load
from numpy.typing import NDArray

from adversarl.interfaces.reward import Step
from adversarl.testing import Check, checks_for


def scene(x: int, y: int, light: float = 1.0) -> NDArray[np.uint8]:
    """A gripper above a red cube at (x, y) on a table. Shape (SIZE, SIZE, 3)."""
    picture = np.full((SIZE, SIZE, 3), (150, 120, 90), np.uint8)
    picture[:25] = (90, 140, 190)
    picture[y - 14 : y - 6, x - 10 : x + 10] = 235
    picture[y - 5 : y + 5, x - 5 : x + 5] = (200, 20, 20)
    return np.asarray(picture * light, dtype=np.uint8)


def empty(x: int, y: int) -> NDArray[np.uint8]:
    """The gripper elsewhere, the cube on the table."""
    picture = scene(20, 70)
    picture[y - 14 : y - 6, x - 10 : x + 10] = 235
    return picture


def judge(**options: object) -> GoalImage:
    """One that knows a goal."""
    made = GoalImage(GoalImageOptions.model_validate(options))
    made.show_goals([Goal((scene(42, 40),), scene(20, 70))])
    return made


def steps(*frames: NDArray[np.uint8]) -> list[Step]:
    """Steps of one environment."""
    return [Step(frame[None], "", np.zeros(1), np.zeros(1, bool)) for frame in frames]


def begins(check: Check) -> bool:
    """Whether a check begins episodes, which needs a goal."""
    return getattr(check, "__name__", "") in (
        "a_detector_scores_with_and_without_begin",
        "a_resumed_detector_scores_alike",
    )


@pytest.mark.parametrize("check", [check for check in checks_for("reward") if not begins(check)])
def test_it_keeps_them_without_a_goal_too(check: Check) -> None:
    check(GoalImage)


@pytest.mark.parametrize("check", checks_for("reward"))
def test_it_keeps_the_promises_of_reward_detectors(check: Check, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "goal.png"), scene(42, 40))
    check(GoalImage, GoalImageOptions(goal=str(tmp_path)))


def test_the_goal_is_near_wherever_it_is_and_in_any_light() -> None:
    far, near, moved, dim = judge().distance(
        np.stack([empty(60, 40), scene(42, 40), scene(50, 36), scene(42, 40, light=0.4)])
    )
    assert near == pytest.approx(0, abs=1e-3)
    assert max(near, moved, dim) < 0.5 * far


def test_coming_nearer_is_paid_and_moving_away_costs_the_same() -> None:
    made = judge(hold=9)
    start = empty(60, 40)
    made.begin(start[None], np.ones(1, bool))
    nearer, away = (made.score(step).reward[0] for step in steps(scene(42, 40), start))
    assert nearer > 0.5
    assert away == pytest.approx(-nearer)


def test_success_has_to_be_held() -> None:
    made = judge(hold=2, bonus=5)
    made.begin(empty(60, 40)[None], np.ones(1, bool))
    scores = [made.score(step) for step in steps(scene(42, 40), empty(60, 40), scene(42, 40), scene(42, 40))]
    assert [bool(score.success[0]) for score in scores] == [False, False, False, True]
    assert scores[-1].reward[0] == pytest.approx(5, abs=0.01)


def test_an_episode_begins_anew_where_it_is_told_alone() -> None:
    made, between = judge(hold=1, threshold=0.9), scene(42, 40)
    between[36:40] = (150, 120, 90)
    made.begin(np.stack([empty(60, 40)] * 2), np.ones(2, bool))
    made.begin(np.stack([between] * 2), np.array([True, False]))
    found = made.score(Step(np.stack([between] * 2), "", np.zeros(2), np.zeros(2, bool)))
    assert found.success.tolist() == [False, True]


def test_without_a_start_the_first_picture_counts() -> None:
    made = judge(hold=1)
    scores = [made.score(step) for step in steps(empty(60, 40), scene(42, 40))]
    assert [bool(score.success[0]) for score in scores] == [False, True]
    assert scores[0].reward[0] == 0


def test_without_a_goal_it_says_which_key_to_set() -> None:
    with pytest.raises(OdysseyError, match=r"goal-image has no goal\. Set goal = "):
        GoalImage(GoalImageOptions()).begin(scene(42, 40)[None], np.ones(1, bool))


@pytest.mark.parametrize(("name", "problem"), [("gone.png", "does not exist"), ("text.png", "is no picture")])
def test_a_goal_that_cannot_be_read_is_named(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(OdysseyError, match=f"{name} {problem}"):
        GoalImage(GoalImageOptions(goal=str(tmp_path / name)))


def test_an_empty_folder_holds_no_goal(tmp_path: Path) -> None:
    with pytest.raises(OdysseyError, match="holds no picture and no video"):
        load(tmp_path)


def test_of_a_video_the_end_counts_and_the_beginning_tells_what_changed(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "goal.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=Fraction(20))
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for picture in [*[scene(20, 70)] * 10, *[scene(42, 40)] * 25]:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    goal = ending(tmp_path / "goal.mp4")
    assert len(goal.pictures) == KEPT
    assert goal.before is not None
    made = GoalImage(GoalImageOptions(goal=str(tmp_path)))
    near, far = made.distance(np.stack([scene(42, 40), empty(60, 40)]))
    assert near < 0.3 * far
