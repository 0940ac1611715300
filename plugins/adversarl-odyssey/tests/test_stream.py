import math

import numpy as np
import pytest
from adversarl_odyssey.desk import Desk
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.notices import QUIET_S, Notices
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.words import Order, Words

SCENE = "A table."
OPTIONS = ServiceOptions(max_stream_s=100.0, idle_s=30.0, frame_timeout_s=5.0)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def desk(clock):
    return Desk(OPTIONS, lambda: None, clock)


def open_stream(desk, scene=SCENE):
    assert desk.opening() == scene
    desk.started()


def pictures(desk, n):
    """Pictures that arrive; the third after an acknowledgement is the first that was surely made after it."""
    settled = []
    for _ in range(n):
        desk.clock.now += 0.05
        settled.append(desk.frame(np.full((2, 2, 3), desk.tally.frames, np.uint8)))
    return settled


def look(desk, fresh=True):
    return desk.show(fresh=fresh, patience_s=0.0)


def ready(desk):
    try:
        look(desk)
    except OdysseyError:
        return False
    return True


# Words.


def test_prompts_go_before_actions_and_do_not_starve_them():
    words = Words()
    words.prompt, words.action = "dark", "left"
    assert words.take() == Order("prompt", "dark")
    words.prompt = "darker"
    assert words.take() == Order("action", "left")
    assert words.take() == Order("prompt", "darker")
    assert words.take() is None
    assert not words


def test_only_the_last_of_a_kind_is_said():
    words = Words()
    for text in ("left", "right"):
        words.prompt = words.action = text
    assert [words.take(), words.take(), words.take()] == [Order("prompt", "right"), Order("action", "right"), None]


def test_a_scene_and_its_conditions_are_said_in_one_text():
    words = Words()
    words.scene, words.prompt = SCENE, "It is dark."
    assert words.take() == Order("scene", "A table. It is dark.")
    words.scene, words.prompt = SCENE, "A table. It rains."
    assert words.take() == Order("scene", "A table. It rains.")
    words.scene = SCENE
    assert words.take() == Order("scene", SCENE)


# Notices.


def test_notices_of_a_kind_are_counted_and_come_once_a_minute(clock):
    told, notices = [], Notices(clock)
    notices.add("lost", "the connection was lost")
    notices.tell()
    notices.notice = told.append
    notices.tell()
    for n in range(3):
        notices.add("lost", f"the connection was lost: {n}")
        notices.add("late", "a picture was late")
        notices.tell()
    clock.now += QUIET_S
    notices.tell()
    assert told == [
        "the connection was lost",
        "a picture was late",
        "the connection was lost: 2 (3 times since the last notice)",
        "a picture was late (2 times since the last notice)",
    ]


def test_the_last_notices_are_told_at_the_end(clock):
    told, notices = [], Notices(clock)
    notices.notice = told.append
    for _ in range(2):
        notices.add("lost", "lost")
        notices.tell()
    notices.tell(all_of_them=True)
    assert told == ["lost", "lost"]


# The desk.


def test_a_picture_counts_only_when_it_was_made_after_the_acknowledgement(desk):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    assert pictures(desk, 3) == [False, False, True]
    assert look(desk).number == 3
    desk.prompt("dark")
    assert pictures(desk, 3) == [False] * 3
    assert desk.take() == Order("prompt", "dark")
    assert pictures(desk, 3) == [False] * 3
    assert not ready(desk)
    desk.acknowledged()
    assert pictures(desk, 2) == [False] * 2
    assert not ready(desk)
    assert pictures(desk, 1) == [True]
    assert look(desk).number == 12


def test_a_fresh_picture_is_never_shown_twice_and_others_may_be(desk):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    pictures(desk, 3)
    assert look(desk).dropped == 2
    assert not ready(desk)
    assert look(desk, fresh=False).number == 3
    pictures(desk, 4)
    taken = look(desk)
    assert (taken.number, taken.dropped) == (7, 3)


def test_latency_is_from_the_sending_to_the_first_picture_that_shows_it(desk, clock):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    pictures(desk, 3)
    assert math.isnan(look(desk).latency_s)
    desk.act("left")
    desk.take()
    clock.now += 0.1
    desk.acknowledged()
    pictures(desk, 4)
    assert look(desk).latency_s == pytest.approx(0.1 + 3 * 0.05)
    assert desk.tally.action_latency_s == pytest.approx(0.25)


def test_each_sentence_has_a_latency_of_its_own(desk, clock):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    for kind in ("prompt", "act"):
        getattr(desk, kind)("left")
        desk.take()
        clock.now += 0.01
        desk.acknowledged()
    pictures(desk, 3)
    assert (desk.tally.prompts, desk.tally.actions) == (1, 1)
    assert desk.tally.prompt_latency_s == pytest.approx(0.17)
    assert desk.tally.action_latency_s == pytest.approx(0.16)


def test_a_new_episode_begins_a_new_stream_or_leads_the_running_one_back(desk, clock):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    pictures(desk, 3)
    look(desk)
    desk.begin(SCENE, restart=False)
    assert desk.due(clock.now) == ""
    assert desk.take() is None
    desk.prompt("dark")
    desk.take()
    desk.begin(SCENE, restart=False)
    assert desk.take() == Order("scene", SCENE)
    desk.begin(SCENE, restart=False)
    assert desk.take() is None
    desk.begin(SCENE, restart=True)
    assert desk.due(clock.now) == "restart"


def test_another_scene_is_said_to_the_running_stream(desk):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    desk.begin("A field.", restart=False)
    desk.prompt("dark")
    assert desk.take() == Order("scene", "A field. dark")


def test_a_stream_that_nobody_has_seen_is_new_enough(desk, clock):
    desk.begin(SCENE, restart=True)
    desk.opening()
    desk.begin(SCENE, restart=True)
    desk.started()
    assert desk.due(clock.now) == ""
    desk.begin(SCENE, restart=True)
    assert desk.due(clock.now) == ""
    clock.now += 3
    desk.begin(SCENE, restart=True)
    assert desk.due(clock.now) == "restart"


def test_an_empty_prompt_brings_the_scene_back(desk):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    desk.prompt("")
    assert desk.take() is None
    desk.prompt("dark")
    desk.take()
    desk.prompt("")
    assert desk.take() == Order("scene", SCENE)


def test_a_refused_prompt_is_dropped_and_never_said_again(desk):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    desk.prompt("naughty")
    assert desk.take() == Order("prompt", "naughty")
    assert desk.refused() == "naughty"
    assert desk.take() is None
    assert pictures(desk, 3)[-1]
    desk.begin(SCENE, restart=False)
    desk.prompt("naughty")
    assert desk.take() is None
    desk.down()
    open_stream(desk)
    assert desk.take() is None
    assert desk.tally.refused == 1
    assert desk.tally.prompts == 0


def test_a_refused_prompt_does_not_leave_the_one_before_it_in_force(desk):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    for text in ("dark", "naughty"):
        desk.prompt(text)
        assert desk.take() == Order("prompt", text)
    desk.refused()
    assert desk.take() == Order("scene", SCENE)
    desk.prompt("dark")
    desk.take()
    desk.prompt("naughty")
    assert desk.take() == Order("scene", SCENE)


def test_a_scene_is_said_alone_if_the_conditions_with_it_are_refused(desk):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    desk.prompt("dark")
    desk.take()
    desk.begin(SCENE, restart=False)
    desk.prompt("naughty")
    assert desk.take() == Order("scene", f"{SCENE} naughty")
    desk.prompt("rainy")
    desk.refused()
    assert desk.take() == Order("scene", f"{SCENE} rainy")


def test_a_refused_scene_begins_a_new_stream_and_a_refused_action_nothing(desk, clock):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    desk.act("left")
    desk.take()
    desk.acknowledged()
    assert desk.refused() == "left"
    assert desk.refused() == ""
    assert desk.due(clock.now) == ""
    desk.begin(SCENE, restart=False)
    assert desk.take() == Order("scene", SCENE)
    desk.refused()
    assert desk.due(clock.now) == "restart"


def test_a_renewed_stream_is_led_back_and_tells_of_it_once(desk):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    desk.prompt("dark")
    desk.take()
    desk.acknowledged()
    pictures(desk, 3)
    assert not look(desk).renewed
    desk.down()
    assert pictures(desk, 1) == [False]
    open_stream(desk)
    assert desk.take() == Order("prompt", "dark")
    desk.acknowledged()
    pictures(desk, 2)
    assert not look(desk, fresh=False).renewed
    pictures(desk, 1)
    assert look(desk).renewed
    assert not look(desk, fresh=False).renewed
    assert desk.tally.renewals == 1


def test_a_stream_that_was_renewed_before_anybody_looked_surprises_nobody(desk):
    desk.begin(SCENE, restart=True)
    for _ in range(2):
        open_stream(desk)
        pictures(desk, 1)
        desk.down()
    open_stream(desk)
    pictures(desk, 3)
    assert not look(desk).renewed


def test_streams_are_renewed_between_episodes_if_one_more_would_be_too_long(desk, clock):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    for _ in range(2):
        pictures(desk, 3)
        look(desk)
        clock.now += 40
        desk.begin(SCENE, restart=False)
        pictures(desk, 3)
        due = desk.due(clock.now)
    assert due == "restart"
    open_stream(desk)
    pictures(desk, 3)
    assert not look(desk).renewed


def test_a_stream_that_gets_too_old_within_an_episode_is_renewed(desk, clock):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    for _ in range(5):
        pictures(desk, 3)
        look(desk)
        assert desk.due(clock.now) == ""
        clock.now += 20.1
    look(desk, fresh=False)
    assert desk.due(clock.now) == "rotate"


def test_a_stream_without_pictures_is_stuck_only_if_somebody_looks_and_the_loop_had_time(desk, clock):
    desk.begin(SCENE, restart=True)
    open_stream(desk)
    pictures(desk, 3)
    clock.now += 6
    assert desk.due(-math.inf) == ""
    look(desk)
    assert desk.due(clock.now) == ""
    assert desk.due(-math.inf) == "stuck"


def test_a_stream_that_nobody_looks_at_is_given_up_and_wanted_again_when_somebody_does(desk, clock):
    assert not desk.wanted
    desk.begin(SCENE, restart=True)
    assert desk.wanted
    open_stream(desk)
    pictures(desk, 3)
    clock.now += 31
    assert desk.due(clock.now) == "unused"
    assert not desk.wanted
    desk.down()
    look(desk, fresh=False)
    assert desk.wanted
    assert not desk.release(1.0)
    assert desk.wanted
    clock.now += 1.1
    assert desk.release(1.0)
    assert not desk.wanted
    assert desk.released
    look(desk, fresh=False)
    assert desk.wanted


def test_a_failure_is_raised_until_the_next_episode_begins(desk):
    desk.begin(SCENE, restart=True)
    desk.fail(OdysseyError("the account is suspended", "Ask."))
    for fresh in (True, False):
        with pytest.raises(OdysseyError, match="the account is suspended"):
            look(desk, fresh=fresh)
    assert not desk.wanted
    desk.begin(SCENE, restart=True)
    assert desk.wanted


def test_show_before_begin_is_a_bug_of_the_caller(desk):
    with pytest.raises(RuntimeError, match="begin"):
        look(desk)
