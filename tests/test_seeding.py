from __future__ import annotations

from adversarl.seeding import generator, sequence


def test_the_same_seed_and_names_give_the_same_numbers():
    assert generator(3, "env", 1).random() == generator(3, "env", 1).random()


def test_another_seed_or_name_gives_other_numbers():
    drawn = {generator(*path).random() for path in [(0, "a"), (1, "a"), (0, "b"), (0, "a", 0), (0, "a", 1)]}
    assert len(drawn) == 5


def test_a_component_has_its_own_stream_whoever_else_there_is():
    assert sequence(0, "learner").entropy == sequence(0, "learner").entropy
    assert sequence(0, "learner").entropy != sequence(0, "curriculum").entropy
