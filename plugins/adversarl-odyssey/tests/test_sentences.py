"""Tests of actions as sentences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from adversarl_odyssey.sentences import VOCABULARY, ActionEncoder, decode, encode, is_movement, quantize

TURNING = (*VOCABULARY, ("turns left and back", "turns right and forth"))


def test_every_quantized_action_survives_the_way_through_its_sentence() -> None:
    for move in itertools.product((-1, -0.4, 0, 0.4, 1), repeat=3):
        for grip in (-1, 1):
            action = np.array([*move, grip], np.float32)
            assert np.array_equal(decode(encode(action)), action)


def test_a_sentence_reads_like_english() -> None:
    assert encode([0, -1, 0.4, 1]) == "The robot arm moves to the left, moves slightly up and closes its gripper."
    assert encode([0, 0, 0, -1]) == "The robot arm holds still and opens its gripper."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dim the lights.",
        "The robot arm",
        "The robot arm dances and opens its gripper.",
        "The robot arm moves up and",
        "The robot arm .",
    ],
)
def test_other_texts_are_no_actions(text: str) -> None:
    assert decode(text) is None


def test_case_and_space_around_a_sentence_do_not_matter() -> None:
    assert decode(" the robot arm moves UP and opens its gripper. \n") is not None


def test_numbers_in_the_dead_zone_mean_nothing() -> None:
    assert quantize([0.2, -0.3, 0.9, 0.1], 0.25).tolist() == pytest.approx([0, -0.4, 1, -1])


def test_the_gripper_stays_as_it_was_told_until_it_is_told_otherwise() -> None:
    assert quantize([0, 0, 0, 0.1], 0.25, before=[0, 0, 0, 1])[3] == 1
    assert quantize([0, 0, 0, -0.9], 0.25, before=[0, 0, 0, 1])[3] == -1


def test_numbers_that_are_none_mean_nothing() -> None:
    assert quantize([np.nan, 1, 0, 0], 0.25).tolist() == [0, 1, 0, -1]


def test_phrases_with_an_and_of_their_own_are_understood() -> None:
    action = np.array([1, 0, 0, -1, -0.4], np.float32)
    assert is_movement(TURNING[-1])
    assert np.array_equal(decode(encode(action, TURNING), TURNING), action)


def test_equal_sentences_are_merged() -> None:
    encoder = ActionEncoder(VOCABULARY, 0.25, 10)
    assert encoder.say([1, 0, 0, -1], 0.0) == "The robot arm moves towards the camera and opens its gripper."
    assert encoder.say([0.9, 0.1, 0, -0.8], 1.0) is None
    assert encoder.told.tolist() == [1, 0, 0, -1]


def test_sentences_are_no_more_frequent_than_allowed_and_the_newest_is_said() -> None:
    encoder = ActionEncoder(VOCABULARY, 0.25, 2)
    assert encoder.say([1, 0, 0, -1], 0.0) is not None
    assert encoder.say([0, 1, 0, -1], 0.3) is None
    assert encoder.told.tolist() == [1, 0, 0, -1]
    assert encoder.say([0, 0, -1, -1], 0.6) == "The robot arm moves down and opens its gripper."


def test_a_new_world_has_to_be_told_again() -> None:
    encoder = ActionEncoder(VOCABULARY, 0.25, 1)
    first = encoder.say([1, 0, 0, -1], 0.0)
    encoder.reset()
    assert encoder.told.tolist() == [0, 0, 0, 0]
    assert encoder.say([1, 0, 0, -1], 0.1) == first
