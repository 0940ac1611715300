from __future__ import annotations

from adversarl.schedule import NEVER, Entry, Schedule, at, next_change
from adversarl.types import Perturbation, Proposal


def entry(axis, onset=0, duration=None, intensity=0.5, restore=False):
    perturbations = () if axis is None else (Perturbation(axis, intensity, onset=onset, duration=duration),)
    return Entry(Proposal(axis or "back to normal", "", None, onset, duration), perturbations, (), restore)


def axes(schedule, step):
    return [p.axis for p in schedule.at(step)]


def test_nothing_is_scheduled_by_default():
    assert Schedule().at(0) == ()
    assert Schedule().next_change(0) == NEVER
    assert Schedule().experienced(10) == ()


def test_a_perturbation_is_in_force_from_its_onset_for_its_duration():
    schedule = Schedule([entry("fog", onset=3, duration=2)])
    assert [axes(schedule, step) for step in range(6)] == [[], [], [], ["fog"], ["fog"], []]


def test_changes_are_foreseen():
    schedule = Schedule([entry("fog", onset=3, duration=2), entry("rain", onset=4)])
    assert [schedule.next_change(step) for step in range(6)] == [3, 3, 3, 4, 5, NEVER]


def test_a_later_onset_replaces_the_same_axis():
    schedule = Schedule([entry("fog", onset=5, intensity=1.0), entry("fog", intensity=0.25)])
    assert [p.intensity for p in schedule.at(4)] == [0.25]
    assert [p.intensity for p in schedule.at(5)] == [1.0]


def test_what_was_in_force_is_remembered_until_a_restoring_prompt_ended_it():
    schedule = Schedule([entry("fog"), entry(None, onset=4, restore=True), entry("rain", onset=6), entry("glare", 9)])
    assert [(p.axis, p.onset, p.duration) for p in schedule.experienced(8)] == [("fog", 0, 4), ("rain", 6, None)]
    assert [(p.axis, p.duration) for p in schedule.experienced(3)] == [("fog", None)]


def test_what_ended_before_a_restoring_prompt_and_what_never_began_are_left_as_they_are():
    rows = [entry("fog", 1, 2), entry("rain", 3), entry(None, onset=3, restore=True)]
    assert [(p.axis, p.duration) for p in Schedule(rows).experienced(9)] == [("fog", 2)]


def test_perturbations_alone_say_what_is_in_force():
    fog, more = Perturbation("fog", 0.2, duration=5), Perturbation("fog", 0.9, onset=2, duration=2)
    assert [[p.intensity for p in at(step, (fog, more))] for step in range(6)] == [
        [0.2],
        [0.2],
        [0.9],
        [0.9],
        [0.2],
        [],
    ]
    assert [next_change(step, (fog, more)) for step in range(6)] == [2, 2, 4, 4, 5, NEVER]


def test_a_restoring_prompt_clears_what_came_before_it():
    schedule = Schedule([entry("fog"), entry(None, onset=4, restore=True), entry("rain", onset=6)])
    assert [axes(schedule, step) for step in (3, 4, 6)] == [["fog"], [], ["rain"]]


def test_an_entry_takes_effect_once_and_says_when():
    schedule = Schedule([entry("fog", onset=2), entry("rain")])
    assert [e.proposal.text for e in schedule.newly_effective(0)] == ["rain"]
    assert [e.proposal.text for e in schedule.newly_effective(2)] == ["fog"]
    assert schedule.newly_effective(3) == []
    assert [e.took_effect for e in schedule.entries] == [2, 0]


def test_an_episode_experiences_what_began_before_it_ended():
    schedule = Schedule([entry("fog"), entry("rain", onset=5)])
    assert [p.axis for p in schedule.experienced(5)] == ["fog"]
    assert [p.axis for p in schedule.experienced(6)] == ["fog", "rain"]


def test_an_axis_that_acts_at_the_reset_takes_effect_there_whatever_the_prompt_waits_for():
    size = Entry(Proposal("shrink the goal", "", None, 5), (Perturbation("object-size", 0.5, onset=0),))
    schedule = Schedule([size])
    assert schedule.newly_effective(0) == [size]
    assert schedule.experienced(1) == size.perturbations


def test_of_two_prompts_for_one_step_the_order_of_the_journal_decides():
    normal = entry(None, onset=5, restore=True)
    size = Entry(Proposal("shrink the goal", "", None, 5), (Perturbation("object-size", 0.5),))
    for order in ([normal, size], [size, normal]):
        schedule = Schedule(order)
        assert [axes(schedule, step) for step in (0, 5)] == [["object-size"], []]
        assert [p.duration for p in schedule.experienced(9)] == [5]
