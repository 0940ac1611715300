import asyncio
import json

import numpy as np
import pytest
from adversarl_odyssey.emulator.rtc import LONGEST_QUEUE
from raw_client import data_url


def red(picture):
    """How much more red than green there is."""
    return float(picture[..., 0].mean() - picture[..., 1].mean())


def test_dim_the_lights_really_dims(stream):
    async def script(client):
        started = await client.start("a robot at a table")
        assert started["stream_id"].startswith("str_")
        assert started["applied_prompt"] == "a robot at a table"
        bright = await client.picture(after=2)
        assert bright.shape == (96, 160, 3)
        assert (await client.interact("dim the lights"))["prompt"] == "dim the lights"
        dim = await client.picture(after=4)
        await client.interact("a robot at a table")
        again = await client.picture(after=4)
        await client.end()
        return bright.mean(), dim.mean(), again.mean()

    bright, dim, again = stream(script)
    assert dim < 0.8 * bright
    assert abs(again - bright) < 0.05 * bright


def test_pictures_stop_with_the_stream_and_the_next_one_begins_on_the_same_connection(stream):
    async def script(client):
        first = await client.start()
        await client.picture()
        await client.end()
        await asyncio.sleep(0.5)
        count = len(client.frames)
        await asyncio.sleep(0.5)
        assert len(client.frames) <= count + 1
        second = await client.start(portrait=True)
        await client.until(lambda: client.frames[-1].shape == (160, 96, 3))
        third = await client.start()
        await client.until(lambda: client.frames[-1].shape == (96, 160, 3))
        assert len({one["stream_id"] for one in (first, second, third)}) == 3

    stream(script)


def test_a_stream_can_begin_with_an_image(stream):
    async def script(client):
        start = {"type": "interactive_stream_start", "prompt": "a robot", "portrait": False}
        await client.signal({**start, "input_image_base64": data_url("red")})
        await client.reply("stream_started")
        first = await client.picture()
        later = await client.picture(after=20)
        await client.start()
        await client.end()
        await client.start("a robot")
        return red(first), red(later), red(await client.picture(after=3))

    first, later, without = stream(script)
    assert first > 150
    assert without + 10 < later < first - 10


def test_images_that_are_none_are_refused(stream):
    async def script(client):
        for image in ("data:image/png;base64,AAAA", "no base64!", 7):
            await client.signal({"type": "interactive_stream_start", "prompt": "x", "input_image_base64": image})
            assert await client.error() == "invalid_request"

    stream(script)


def test_a_broadcast_has_no_address_and_the_stream_goes_on(stream):
    async def script(client):
        await client.start(broadcast=True)
        told = await client.reply("broadcast_ready")
        assert told["webrtc_url"] is told["spectator_token"] is None
        await client.picture()

    stream(script)


def test_expansion_cannot_be_bypassed(stream):
    async def script(client):
        client.send({"type": "interactive_stream_start", "prompt": "x", "bypass_vlm_expansion": True})
        assert await client.error() == "bypass_not_allowed"
        await client.start(bypass_vlm_expansion=False)

    stream(script)


def test_words_of_the_task_let_the_teacher_drive(stream):
    async def script(client):
        await client.start("a robot at a table")
        still = await client.picture(after=2)
        same = await client.picture(after=2)
        await client.interact("pick up the cube")
        moved = await client.picture(after=10)
        return [np.abs(picture.astype(int) - still).mean() for picture in (same, moved)]

    same, moved = stream(script)
    assert moved > same + 1


def test_sentences_about_the_robot_move_it(stream):
    async def script(client):
        await client.start("a robot at a table")
        before = await client.picture(after=2)
        await client.interact("The robot arm moves down.")
        return np.abs((await client.picture(after=10)).astype(int) - before).mean()

    assert stream(script) > 1


def test_malformed_messages_get_an_answer_and_kill_nothing(stream):
    async def script(client):
        deep = "[" * 60_000
        for junk in ("", "{", "[]", "null", b"\x00\xff", "7", deep):
            client.send(junk)
        for message, reason in [
            ({"type": "dance"}, "unknown_message"),
            ({}, "unknown_message"),
            ({"type": "update", "prompt": "x"}, "no_active_stream"),
            ({"type": "interactive_stream_start"}, "invalid_request"),
            ({"type": "interactive_stream_start", "prompt": 3}, "invalid_request"),
            ({"type": "interactive_stream_start", "prompt": "x", "portrait": "no"}, "invalid_request"),
            ({"type": "interactive_stream_start", "prompt": "dim " * 4000}, "invalid_request"),
        ]:
            client.send(message)
            assert await client.error() == reason
        for junk in (
            deep,
            "",
            "{",
            "[]",
            "null",
            '{"type": []}',
            '{"type": "answer"}',
            '{"type": "answer", "sdp": "x"}',
        ):
            await client.signal(junk)
        for candidate in ("", "nonsense", 3, "candidate:1 1 udp 1 127.0.0.1 9 typ host"):
            await client.signal({"type": "ice_candidate", "candidate": candidate, "sdpMid": "0", "sdpMLineIndex": 0})
        await client.signal({"type": "keepalive"})
        await client.start()
        client.send({"type": "update", "prompt": None})
        assert await client.error() == "invalid_request"
        await client.interact("dim the lights")
        await client.picture()

    stream(script)


def test_replies_wait_until_their_channel_is_open(converse):
    async def script(client):
        offer = await client.dial()
        await client.signal({"type": "interactive_stream_start", "prompt": "early", "portrait": False})
        await asyncio.sleep(0.3)
        await client.accept(offer)
        assert (await client.reply("stream_started"))["applied_prompt"] == "early"
        await client.picture()

    converse(script)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("lease-denied=1", "lease_denied"),
        ("quota", "quota_exceeded"),
        ("concurrent", "concurrent_limit_exceeded"),
        ("max-stream=0.2", "session_timeout"),
    ],
)
def test_streams_are_refused_or_ended_with_a_reason(stream, emulator, fault, reason):
    async def script(client):
        emulator.faults.switch(fault)
        client.send({"type": "interactive_stream_start", "prompt": "x", "portrait": False})
        assert await client.error() == reason
        emulator.faults.clear()
        await client.start()

    stream(script)


def test_a_refused_prompt_leaves_the_stream_as_it_was(stream, emulator):
    async def script(client):
        await client.start()
        emulator.faults.switch("refuse-prompt=1")
        update = {"type": "update", "prompt": "dim the lights"}
        client.send(update)
        assert await client.error() == "moderation"
        client.send(update)
        await client.reply("update_acknowledged")

    stream(script)


def test_a_streamer_that_is_gone_is_told(converse, emulator):
    emulator.faults.switch("no-streamer=1")

    async def script(client):
        return await client.dial()

    assert converse(script) == {"type": "error", "reason": "streamer_not_available"}


def test_messages_are_spoilt_by_command(stream, emulator):
    async def script(client):
        emulator.faults.switch("malformed=3")
        client.send({"type": "interactive_stream_start", "prompt": "x", "portrait": False})
        for text in "ab":
            client.send({"type": "update", "prompt": text})
        await client.until(lambda: len(client.messages) == 3)
        cut, poor, listed = client.messages
        with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
            json.loads(cut)
        assert list(json.loads(poor)) == ["type"]
        assert isinstance(json.loads(listed), list)
        await client.interact("c")

    stream(script)


def test_a_second_connection_that_finds_no_streamer_does_not_end_the_first(stream, emulator):
    async def script(client):
        await client.start()
        name = client.session["session_id"]
        token = (await client.post("/sessions/token", {"session_id": name}))[1]["session_token"]
        emulator.faults.switch("no-streamer=1")
        address = f"{client.session['signalling_url']}/client/{name}?token={token}"
        async with client.http.ws_connect(address) as second:
            assert (await second.receive_json())["reason"] == "streamer_not_available"
        assert emulator.stats()["streams"] == 1
        await client.interact("dim the lights")

    stream(script)


def test_answers_to_a_client_that_never_listens_do_not_pile_up(converse, emulator):
    async def script(client):
        await client.dial()
        session = emulator.running.emulator.sessions.open[client.session["session_id"]]
        waiting = session.connection.peer._waiting
        for number in range(LONGEST_QUEUE + 20):
            await client.signal({"type": f"strange {number}"})
            if not number % 20:
                await client.until(lambda last=f"strange {number}'": waiting and last in waiting[-1])
        await client.until(lambda: f"strange {LONGEST_QUEUE + 19}'" in waiting[-1])
        return len(waiting)

    assert converse(script) == LONGEST_QUEUE
