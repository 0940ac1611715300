import threading
from itertools import pairwise

import pytest
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.meter import FILE
from live_sources import DARK, NIGHT, SCENE, begin, opener


@pytest.fixture
def open_source(emulator):
    with opener() as start:
        yield start


def test_a_stream_shows_what_it_was_asked_for_in_the_next_fresh_picture(open_source):
    source = open_source()
    bright = begin(source)
    assert bright.picture.shape == (48, 48, 3)
    assert bright.picture.mean() > NIGHT
    source.prompt(0, DARK)
    dark = source.show(0, fresh=True)
    assert dark.picture.mean() < NIGHT
    assert dark.number > bright.number
    assert dark.latency_s > 0
    assert dark.age_s < 4.0
    assert not dark.renewed


def test_a_new_episode_begins_a_new_stream_on_the_same_connection(open_source, emulator):
    source = open_source()
    begin(source)
    served = emulator.stats()["served"]
    source.prompt(0, DARK)
    assert source.show(0, fresh=True).picture.mean() < NIGHT
    shown = begin(source)
    assert shown.picture.mean() > NIGHT
    assert not shown.renewed
    assert emulator.stats()["served"] == served
    assert source.scalars()["odyssey/starts"] == 2


def test_the_running_stream_is_led_back_by_words_if_no_new_one_is_needed(open_source):
    source = open_source()
    begin(source)
    source.prompt(0, DARK)
    source.show(0, fresh=True)
    assert begin(source, restart=False).picture.mean() > NIGHT
    assert source.scalars()["odyssey/starts"] == 1


def test_streams_of_a_world_are_opened_at_once_and_are_apart(open_source, emulator):
    source = open_source(num_envs=3)
    for env in range(3):
        source.begin(env, SCENE, restart=True)
    source.prompt(1, DARK)
    means = [source.show(env, fresh=True).picture.mean() for env in range(3)]
    assert [mean < NIGHT for mean in means] == [False, True, False]
    assert emulator.stats()["streams"] == 3


def test_prompts_and_actions_do_not_starve_each_other(open_source):
    source = open_source()
    begin(source)
    for n in range(6):
        source.prompt(0, DARK)
        source.act(0, "move the gripper left" if n % 2 else "move the gripper right")
        source.show(0, fresh=True)
    scalars = source.scalars()
    assert scalars["odyssey/latency_s"] > 0
    assert scalars["odyssey/action_latency_s"] > 0


def test_a_second_world_takes_the_places_that_the_first_does_not_use(open_source, emulator):
    told = []
    first, second = open_source(max_streams=1), open_source(max_streams=1)
    first.connect(told.append)
    begin(first)
    for source in (second, first):
        begin(source)
        assert emulator.stats()["sessions"] == 1
    first.scalars()
    assert "another world needs the place" in told[0]


def test_a_second_world_gets_no_place_while_the_first_uses_all(open_source, emulator):
    first, second = open_source(max_streams=1), open_source(max_streams=1, connect_timeout_s=2.0)
    begin(first)
    done = threading.Event()

    def use():
        while not done.is_set():
            first.show(0, fresh=True)

    thread = threading.Thread(target=use)
    thread.start()
    try:
        with pytest.raises(OdysseyError, match=r"backend.max_streams = 1 .* backend.num_envs = 1 gets none\. Lower"):
            begin(second)
    finally:
        done.set()
        thread.join()
    assert emulator.stats()["sessions"] == 1


def test_worlds_of_a_run_share_a_meter_and_a_resumed_run_goes_on_with_it(open_source, tmp_path):
    training, evaluation, aside = open_source(), open_source(), open_source()
    training.connect(lambda text: None, tmp_path)
    evaluation.connect(lambda text: None, tmp_path)
    begin(training)
    begin(aside)
    assert training.meter is evaluation.meter is aside.meter
    assert training.meter.open_streams == 2
    for source in (training, evaluation, aside):
        source.close()
    spent = training.meter.cost_usd
    rows = (tmp_path / FILE).read_text().splitlines()
    assert sum('"ended"' in row for row in rows) == 2
    resumed = open_source(max_cost_usd=spent / 2)
    assert resumed.exhausted == ""
    resumed.connect(lambda text: None, tmp_path)
    assert resumed.meter.cost_usd == pytest.approx(spent, abs=1e-4)
    assert "max_cost_usd" in resumed.exhausted


def test_the_key_is_in_no_file(open_source, emulator, tmp_path):
    source = open_source()
    source.connect(lambda text: None, tmp_path)
    begin(source)
    source.close()
    texts = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert texts
    assert not any(emulator.key in text for text in texts)


def test_a_spent_budget_is_told_and_much_later_enforced(open_source):
    source = open_source(max_cost_usd=0.0, price_usd_per_hour=3600.0)
    begin(source)
    assert "max_cost_usd is 0" in source.exhausted
    source.meter.earlier_usd = 1000.0
    with pytest.raises(OdysseyError, match=r"max_cost_usd is 0\. Raise backend.max_cost_usd"):
        source.show(0, fresh=True)


def test_pictures_are_numbered_and_never_go_back(open_source):
    source = open_source()
    begin(source)
    shown = [source.show(0, fresh=True) for _ in range(5)]
    assert all(after.number > before.number for before, after in pairwise(shown))
    assert all(after.dropped == after.number - before.number - 1 for before, after in pairwise(shown))


def test_a_closed_source_says_so(open_source):
    source = open_source()
    source.close()
    source.close()
    with pytest.raises(OdysseyError, match="the environment is closed"):
        begin(source)
