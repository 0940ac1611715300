import asyncio
import logging

import numpy as np
import pytest
from adversarl_odyssey.thin import AdvancedConfig, Odyssey, errors
from leakless import run, until

SCENE = "A table in a workshop"
SECRET = "ody_this_is_the_secret_0123456789"


def make_client(server, **advanced):
    return Odyssey(server.key, api_url=server.url, advanced=AdvancedConfig(initial_retry_delay_ms=20, **advanced))


def gone(server):
    stats = server.stats()
    return stats["connections"] == stats["streams"] == stats["stages"] == 0


class Seen:
    """Everything that a client tells."""

    def __init__(self):
        self.frames, self.told = [], []

    def handlers(self):
        def teller(name):
            return lambda *values: self.told.append((name, *values))

        names = ("connected", "stream_started", "stream_ended", "interact_acknowledged", "stream_error", "error")
        return {"on_video_frame": self.frames.append, **{f"on_{name}": teller(name) for name in names}}

    def all(self, name):
        return [told[1:] for told in self.told if told[0] == name]


def test_a_stream_from_its_start_to_its_end(emulator):
    async def work():
        seen, client = Seen(), make_client(emulator)
        await client.connect(**seen.handlers())
        assert client.is_connected
        assert client.current_session_id
        stream = await client.start_stream(SCENE, portrait=False)
        assert client.last_applied_prompt == SCENE
        await until(lambda: len(seen.frames) >= 3)
        assert await client.interact("Dim the lights") == client.last_applied_prompt == "Dim the lights"
        await client.end_stream()
        await client.disconnect()
        assert [name for name, *_ in seen.told] == [
            "connected", "stream_started", "interact_acknowledged", "stream_ended",
        ]  # fmt: skip
        assert seen.all("stream_started") == [(stream,)]
        frame = seen.frames[-1]
        assert frame.data.shape == (96, 160, 3)
        assert frame.data.dtype == np.uint8
        assert (frame.width, frame.height) == (160, 96)
        assert frame.timestamp_ms > seen.frames[0].timestamp_ms
        assert not client.is_connected
        assert client.current_session_id is client.last_applied_prompt is None
        await until(lambda: gone(emulator))

    run(work())


def test_a_client_can_be_used_again_even_in_another_event_loop(emulator):
    client = make_client(emulator)

    async def work():
        await client.connect()
        await client.start_stream(SCENE, portrait=False)
        await client.disconnect()
        await client.disconnect()
        await client.connect()
        await client.disconnect()

    run(work())
    run(work())


def test_an_upright_stream_may_begin_with_a_picture(emulator):
    async def work():
        seen, client = Seen(), make_client(emulator)
        await client.connect(**seen.handlers())
        assert client._capabilities.image_to_video
        await client.start_stream(SCENE, portrait=True, image=np.zeros((50, 80, 3), np.uint8))
        await until(lambda: seen.frames and seen.frames[-1].data.shape == (160, 96, 3))
        await client.disconnect()

    run(work())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("quota", errors.MonthlyLimitReachedError),
        ("suspended", errors.AccountSuspendedError),
        ("concurrent", errors.ConcurrentLimitReachedError),
        ("rate-limit=1", errors.RateLimitError),
        ("busy=9", errors.OdysseyConnectionError),
        ("no-streamer=1", errors.OdysseyConnectionError),
        ("expire-token=0", errors.OdysseyAuthError),
    ],
)
def test_a_connection_that_is_refused_leaves_nothing_open(emulator, fault, error):
    async def work():
        seen, client = Seen(), make_client(emulator, queue_timeout_s=0)
        with pytest.raises(error) as caught:
            await client.connect(**seen.handlers())
        assert client.current_status == "failed"
        assert seen.all("error") == [(caught.value, True)]
        await until(lambda: gone(emulator))
        emulator.faults.clear()
        await client.connect()
        await client.disconnect()

    emulator.faults.switch(fault)
    run(work())


def test_a_wrong_key_is_an_error_that_does_not_quote_it(emulator):
    async def work():
        client = Odyssey(SECRET, api_url=emulator.url)
        with pytest.raises(errors.OdysseyAuthError) as caught:
            await client.connect()
        assert SECRET not in f"{caught.value!r}{caught.value}{client!r}{vars(client)!r}{vars(client.api)!r}"

    run(work())


def test_key_and_tokens_appear_in_no_log(emulator, caplog, capfd):
    async def work():
        client = make_client(emulator)
        await client.connect()
        await client.start_stream(SCENE, portrait=False)
        emulator.faults.switch("drop-connection=0")
        await until(lambda: not client.is_connected)
        await client.disconnect()

    with caplog.at_level(logging.DEBUG):
        run(work())
    said = caplog.text + "".join(capfd.readouterr())
    assert emulator.key not in said
    assert "token=" not in said
    assert "Bearer" not in said


def test_a_connect_that_is_cancelled_at_any_time_leaves_nothing_open(emulator):
    async def work():
        for after_s in (0.0, 0.005, 0.02, 0.04, 0.06, 0.08):
            client = make_client(emulator)
            task = asyncio.create_task(client.connect())
            await asyncio.sleep(after_s)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert client.current_status == "disconnected" or not task.cancelled()
            await client.disconnect()
        await until(lambda: gone(emulator) and not emulator.stats()["sessions"])

    run(work())


def test_a_connect_in_a_hurry_times_out_and_leaves_nothing_open(emulator):
    async def work():
        client = make_client(emulator)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.connect(), 1.2)
        with pytest.raises(errors.OdysseyStreamError, match="disconnected, not connected"):
            await client.start_stream(SCENE)

    emulator.faults.switch("busy=9")
    run(work())


def test_disconnecting_ends_a_connect_that_waits(emulator):
    async def work():
        client = make_client(emulator)
        connecting = asyncio.create_task(client.connect())
        await until(lambda: client.current_status == "authenticating")
        with pytest.raises(errors.OdysseyConnectionError, match="already authenticating"):
            await client.connect()
        await client.disconnect()
        with pytest.raises(errors.OdysseyConnectionError, match="was disconnected while"):
            await connecting

    emulator.faults.switch("busy=9")
    run(work())


def test_a_busy_service_is_asked_again_until_a_machine_is_free(emulator):
    async def work():
        client = make_client(emulator, queue_timeout_s=10)
        await client.connect()
        assert client.is_connected
        await client.disconnect()

    emulator.faults.switch("busy=1")
    run(work())


def test_functions_that_raise_stop_nothing(emulator):
    async def work():
        calls, faults = [], []

        def clumsy(*values):
            calls.append(values)
            raise RuntimeError("a function of the user")

        client = make_client(emulator)
        await client.connect(
            on_connected=clumsy,
            on_video_frame=clumsy,
            on_stream_started=clumsy,
            on_interact_acknowledged=clumsy,
            on_stream_ended=clumsy,
            on_error=lambda error, fatal: faults.append((str(error), fatal)),
        )
        await client.start_stream(SCENE, portrait=False)
        await until(lambda: len(calls) > 6)
        assert await client.interact("Dim the lights") == "Dim the lights"
        await client.end_stream()
        await client.disconnect()
        assert faults == [("a function of the user", False)] * 5

    run(work())


def test_a_lost_connection_is_told_and_rejects_what_waits(emulator):
    async def work():
        seen, client = Seen(), make_client(emulator)
        await client.connect(**seen.handlers())
        await client.start_stream(SCENE, portrait=False)
        emulator.faults.switch("drop-connection=0")
        with pytest.raises(errors.OdysseyError):
            await asyncio.gather(*(client.interact("Dim the lights") for _ in range(1000)))
        await until(lambda: client.current_status == "failed")
        assert [fatal for _, fatal in seen.all("error")] == [True]
        emulator.faults.clear()
        await client.connect(**seen.handlers())
        await client.start_stream(SCENE, portrait=False)
        await client.disconnect()
        await until(lambda: gone(emulator))

    run(work())


def test_messages_without_sense_are_told_and_stop_nothing(emulator):
    async def work():
        seen, client = Seen(), make_client(emulator)
        await client.connect(**seen.handlers())
        await client.start_stream(SCENE, portrait=False)
        emulator.faults.switch("malformed=4")
        for _ in range(4):
            waiting = asyncio.create_task(client.interact("Dim the lights"))
            await asyncio.wait([waiting], timeout=0.2)
            waiting.cancel()
            await asyncio.wait([waiting])
        assert await client.interact("Brighten the lights") == "Brighten the lights"
        assert client.is_connected
        await client.disconnect()
        assert all(not fatal for _, fatal in seen.all("error"))

    run(work())


def test_a_stream_at_its_longest_is_told_and_another_may_begin(emulator):
    async def work():
        seen, client = Seen(), make_client(emulator)
        await client.connect(**seen.handlers())
        await client.start_stream(SCENE, portrait=False)
        emulator.faults.switch("max-stream=0")
        await until(lambda: seen.all("stream_error"))
        assert seen.all("stream_error")[0][0] == "session_timeout"
        emulator.faults.clear()
        assert client.is_connected
        await client.start_stream(SCENE, portrait=False)
        await client.disconnect()

    run(work())


def test_a_denied_start_is_a_stream_error_and_may_be_tried_again(emulator):
    async def work():
        client = make_client(emulator)
        await client.connect()
        with pytest.raises(errors.OdysseyStreamError, match="denied"):
            await client.start_stream(SCENE, portrait=False)
        await client.start_stream(SCENE, portrait=False)
        await client.disconnect()

    emulator.faults.switch("lease-denied=1")
    run(work())


def test_questions_at_once_are_all_answered(emulator):
    async def work():
        seen, client = Seen(), make_client(emulator)
        await client.connect(**seen.handlers())
        await client.start_stream(SCENE, portrait=False)
        prompts = [f"Dim the lights {number}" for number in range(8)]
        assert await asyncio.gather(*map(client.interact, prompts)) == prompts
        await client.disconnect()

    run(work())


def test_disconnecting_rejects_what_waits_for_an_answer(emulator):
    async def work():
        client = make_client(emulator)
        await client.connect()
        asking = asyncio.create_task(client.start_stream(SCENE, portrait=False))
        await asyncio.sleep(0)
        await client.disconnect()
        with pytest.raises(errors.OdysseyConnectionError, match="was disconnected"):
            await asking

    run(work())


def test_disconnecting_rejects_all_that_wait_in_turn(emulator):
    async def work():
        client = make_client(emulator)
        await client.connect()
        await client.start_stream(SCENE, portrait=False)
        emulator.faults.switch("malformed=99")
        waiting = [asyncio.create_task(client.end_stream()) for _ in range(20)]
        await asyncio.sleep(0)
        await client.disconnect()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(end, errors.OdysseyConnectionError) for end in ends) >= 10

    run(work())
