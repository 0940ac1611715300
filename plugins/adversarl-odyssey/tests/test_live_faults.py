import asyncio

import pytest
from adversarl_odyssey import account
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sdk import Sdk
from adversarl_odyssey.thin import AdvancedConfig, Odyssey
from adversarl_odyssey.thin.errors import OdysseyStreamError
from answers_server import serving
from live_sources import DARK, NIGHT, begin, opener, show_until, until


@pytest.fixture
def open_source(emulator):
    with opener() as start:
        yield start


@pytest.mark.parametrize("fault", ["drop-connection=1.2", "expire-token=1.2", "max-stream=1.2"])
def test_a_stream_that_is_lost_is_renewed_and_led_back(open_source, emulator, fault):
    told = []
    source = open_source()
    source.connect(told.append)
    emulator.faults.switch(fault)
    begin(source)
    source.prompt(0, DARK)
    assert show_until(source, lambda shown: shown.renewed).picture.mean() < NIGHT
    emulator.faults.clear()
    assert source.show(0, fresh=True).picture.mean() < NIGHT
    assert source.scalars()["odyssey/renewals"] >= 1
    assert "environment 0: " in told[0]


@pytest.mark.parametrize("fault", ["rate-limit=1", "busy=1", "lease-denied=1", "no-streamer=1", "malformed=1"])
def test_what_hinders_the_beginning_is_tried_again(open_source, emulator, fault):
    source = open_source()
    emulator.faults.switch(fault)
    assert begin(source).picture.mean() > NIGHT


def test_a_sentence_that_nobody_acknowledged_is_said_again(open_source, emulator):
    source = open_source()
    begin(source)
    emulator.faults.switch("malformed=1")
    source.prompt(0, DARK)
    assert source.show(0, fresh=True).picture.mean() < NIGHT
    scalars = source.scalars()
    assert (scalars["odyssey/resent"], scalars["odyssey/renewals"]) == (1, 0)


def test_a_prompt_that_the_moderation_refuses_is_told_of_and_dropped_and_the_stream_goes_on(open_source, emulator):
    told = []
    source = open_source()
    source.connect(told.append)
    begin(source)
    emulator.faults.switch("refuse-prompt=1")
    for _ in range(2):
        source.prompt(0, DARK)
        assert source.show(0, fresh=True).picture.mean() > NIGHT
    scalars = source.scalars()
    assert [scalars[f"odyssey/{name}"] for name in ("refused", "starts", "reconnects")] == [1, 1, 0]
    assert "refuses the prompt (moderation: " in told[0]
    assert f"goes on without '{DARK}'" in told[0]


class Strict(Odyssey):
    """The client of a service that ends streams over a word."""

    async def interact(self, prompt):
        if DARK not in prompt:
            return await super().interact(prompt)
        self._call("on_stream_error", "moderation", "no such words")
        self._call("on_stream_ended")
        raise OdysseyStreamError("moderation: no such words")


def test_words_over_which_a_service_ends_the_stream_are_not_said_to_the_next_one(open_source, monkeypatch):
    monkeypatch.setattr(account, "find_sdk", lambda kind, url: Sdk("strict", "0", Strict, AdvancedConfig))
    source = open_source()
    begin(source)
    source.prompt(0, DARK)
    assert source.show(0, fresh=True).picture.mean() > NIGHT
    scalars = source.scalars()
    assert [scalars[f"odyssey/{name}"] for name in ("refused", "starts", "reconnects")] == [1, 2, 1]


def test_a_new_episode_takes_a_new_connection_if_the_old_one_does_not_end_its_stream(open_source, emulator):
    source = open_source()
    begin(source)
    served = emulator.stats()["served"]
    source.prompt(0, DARK)
    source.show(0, fresh=True)
    emulator.faults.switch("malformed=1")
    shown = begin(source)
    assert shown.picture.mean() > NIGHT
    assert not shown.renewed
    assert emulator.stats()["served"] == served + 1


def test_a_stream_without_pictures_is_renewed_a_few_times_and_then_given_up(open_source, emulator):
    source = open_source(frame_timeout_s=0.8, retries=1)
    emulator.faults.switch("late-frames=5")
    with pytest.raises(
        OdysseyError, match=r"no picture has come for 0.8 s, and 1 further attempts did not help\. Look"
    ):
        begin(source)
    assert source.scalars()["odyssey/reconnects"] == 2
    emulator.faults.clear()
    assert begin(source).picture.mean() > NIGHT


@pytest.mark.parametrize(
    ("fault", "message"),
    [("quota", "hours of this month are used up"), ("suspended", "the account is suspended")],
)
def test_what_cannot_be_mended_is_raised_at_the_next_show(open_source, emulator, fault, message):
    source = open_source()
    emulator.faults.switch(fault)
    for _ in range(2):
        with pytest.raises(OdysseyError, match=message):
            begin(source)
    with pytest.raises(OdysseyError, match=message):
        source.show(0, fresh=False)


def test_a_service_that_asks_to_wait_for_long_is_told_of_and_not_waited_for(open_source, monkeypatch):
    detail = {"error": "RATE_LIMITED", "message": "x", "action": "y", "details": {"retry_after_seconds": 1800}}

    async def play():
        async with serving({"POST /sessions/request": (429, {"detail": detail})}) as server:
            monkeypatch.setenv("ODYSSEY_API_URL", server.url)
            source = open_source()
            with pytest.raises(OdysseyError, match=r"asks to wait for 1800 s\. Resume the run"):
                await asyncio.to_thread(begin, source)
            source.close()

    asyncio.run(play())


def test_a_wrong_key_is_refused_and_never_shown(open_source, monkeypatch):
    monkeypatch.setenv("ODYSSEY_API_KEY", "ody_a_wrong_key_of_mine")
    with pytest.raises(OdysseyError, match="does not accept the key in ODYSSEY_API_KEY") as caught:
        begin(open_source())
    assert "wrong_key" not in str(caught.value)


def test_streams_are_renewed_before_they_are_too_old(open_source, emulator):
    source = open_source(max_stream_s=1.0)
    begin(source)
    served = emulator.stats()["served"]
    source.prompt(0, DARK)
    assert show_until(source, lambda shown: shown.renewed).picture.mean() < NIGHT
    assert emulator.stats()["served"] == served


def test_streams_at_which_nobody_looks_end_and_begin_again_when_somebody_does(open_source, emulator):
    source = open_source(idle_s=0.6)
    begin(source)
    source.prompt(0, DARK)
    source.show(0, fresh=True)
    assert until(lambda: emulator.stats()["sessions"] == 0)
    spent = source.meter.cost_usd
    assert source.meter.open_streams == 0
    shown = source.show(0, fresh=True)
    assert shown.renewed
    assert shown.picture.mean() < NIGHT
    assert source.meter.cost_usd > spent


def test_more_environments_than_streams_are_refused(open_source):
    with pytest.raises(OdysseyError, match=r"num_envs = 3 .* backend.max_streams = 2\. Lower"):
        open_source(num_envs=3, max_streams=2)
