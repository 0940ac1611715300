import asyncio
import base64
import gc
import inspect
import io
import logging
import os
import time
from dataclasses import fields

import numpy as np
import pytest
from adversarl_odyssey.thin import AdvancedConfig, Odyssey, errors, link, session, types
from adversarl_odyssey.thin.handlers import Handlers
from adversarl_odyssey.thin.images import data_url
from aiohttp import web
from answers_server import hang, serving
from PIL import Image

PATIENCE_S = 5.0
SCENE = "A table in a workshop"
SECRET = "ody_this_is_the_secret_0123456789"


def run(work):
    """Runs a coroutine; tasks and sockets that it leaves are an error."""

    async def guarded():
        before = fds()
        await work

        def left():
            return [str(task) for task in asyncio.all_tasks() - {asyncio.current_task()}] + ["file"] * (fds() - before)

        await until(lambda: not left(), left)

    asyncio.run(guarded())
    gc.collect()


def fds():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


async def until(condition, what=lambda: "what was waited for"):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what()
        await asyncio.sleep(0.02)


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


def test_a_service_that_quotes_the_key_is_not_quoted():
    async def work():
        async with serving({"POST /auth/token": (403, {"detail": f"the key {SECRET} is revoked"})}) as server:
            client = Odyssey(SECRET, api_url=server.url)
            with pytest.raises(errors.OdysseyAuthError, match=r"the key \(key\) is revoked"):
                await client.connect()

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


def test_nobody_at_the_address_is_a_connection_error():
    async def work():
        async with serving({}) as server:
            url = server.url
        with pytest.raises(errors.OdysseyConnectionError, match="Cannot connect"):
            await Odyssey(SECRET, api_url=url).connect()

    run(work())


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.02, 0.04, 0.06, 0.08])
def test_a_connect_that_is_cancelled_leaves_nothing_open(emulator, after_s):
    async def work():
        client = make_client(emulator)
        task = asyncio.create_task(client.connect())
        await asyncio.sleep(after_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert client.current_status == "disconnected" or not task.cancelled()
        await client.disconnect()
        await until(lambda: gone(emulator))

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
        emulator.faults.switch("malformed=9")
        starting = asyncio.create_task(client.start_stream(SCENE, portrait=False))
        await asyncio.sleep(0.3)
        await client.disconnect()
        with pytest.raises(errors.OdysseyError):
            await starting

    run(work())
    # A spoilt reply may still be read: then the start has succeeded before.


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


def test_a_machine_that_never_offers_a_connection_is_an_error(monkeypatch):
    async def quiet(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("no JSON")
        await socket.send_str('{"type": "something new"}')
        async for _ in socket:
            pass
        return socket

    async def work():
        answers = {"GET /signalling/client/ses_1": quiet, "POST /sessions/token": (200, {"session_token": "a.b.c"})}
        async with serving(answers) as server:
            server.answers["POST /sessions/request"] = (200, signalled(server.url))
            with pytest.raises(errors.OdysseyConnectionError, match="still lacks: an offer"):
                await Odyssey(SECRET, api_url=server.url).connect()

    monkeypatch.setattr(link, "READY_S", 0.2)
    run(work())


@pytest.mark.parametrize("offer", ["", "v=0\r\nm=video\r\n", "no description", None])
def test_an_offer_without_sense_is_an_error(monkeypatch, offer):
    monkeypatch.setattr(link, "READY_S", 0.2)

    async def wrong(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "offer", "sdp": offer})
        async for _ in socket:
            pass
        return socket

    async def work():
        answers = {"GET /signalling/client/ses_1": wrong, "POST /sessions/token": (200, {"session_token": "a.b.c"})}
        async with serving(answers) as server:
            server.answers["POST /sessions/request"] = (200, signalled(server.url))
            with pytest.raises(errors.OdysseyConnectionError):
                await Odyssey(SECRET, api_url=server.url).connect()

    run(work())


def test_a_socket_that_closes_before_the_offer_is_an_error():
    async def rude(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close()
        return socket

    async def work():
        answers = {"GET /signalling/client/ses_1": rude, "POST /sessions/token": (200, {"session_token": "a.b.c"})}
        async with serving(answers) as server:
            server.answers["POST /sessions/request"] = (200, signalled(server.url))
            with pytest.raises(errors.OdysseyConnectionError, match=r"signalling was closed \(1000\)"):
                await Odyssey(SECRET, api_url=server.url).connect()

    run(work())


def test_a_client_that_is_not_connected_says_so():
    async def work():
        client = Odyssey(SECRET, api_url="http://127.0.0.1:9")
        for use in (client.start_stream(SCENE), client.interact("x"), client.end_stream()):
            with pytest.raises(errors.OdysseyStreamError, match="not connected"):
                await use
        await client.disconnect()

    run(work())


def test_the_client_is_for_this_machine_alone():
    with pytest.raises(ValueError, match="emulators on this machine"):
        Odyssey(SECRET, api_url="https://api.odyssey.ml")
    with pytest.raises(ValueError, match="api_key is missing"):
        Odyssey(" ", api_url="http://127.0.0.1:9")


def test_the_address_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("ODYSSEY_API_URL", "http://127.0.0.1:9/")
    assert Odyssey(SECRET).api.url == "http://127.0.0.1:9"
    monkeypatch.delenv("ODYSSEY_API_URL")
    with pytest.raises(ValueError, match="emulators on this machine"):
        Odyssey(SECRET)


def test_the_surface_is_the_sdks():
    real = pytest.importorskip("odyssey", exc_type=ImportError)
    if not hasattr(real, "Odyssey"):
        pytest.skip("another module of that name is installed")
    left_out = {"connect_with_credentials", "create_client_credentials"}
    names = {name for name in vars(real.Odyssey) if not name.startswith("_")} - left_out
    assert names <= set(dir(Odyssey))
    handlers = set(inspect.signature(real.Odyssey.connect).parameters) - {"self"}
    assert handlers <= set(inspect.signature(Handlers).parameters)
    for name in names - {"connect"}:
        theirs, ours = getattr(real.Odyssey, name), getattr(Odyssey, name)
        if callable(theirs):
            parameters = set(inspect.signature(theirs).parameters) - {"image_path"}
            assert parameters <= set(inspect.signature(ours).parameters), name
    for name in ("SimulationJobDetail", "SimulationJobInfo", "SimulationStream", "Recording", "VideoFrame"):
        assert {field.name for field in fields(getattr(real, name))} == {f.name for f in fields(getattr(types, name))}
    assert {f.name for f in fields(real.AdvancedConfig)} == {f.name for f in fields(AdvancedConfig)}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(session, "PING_S", 0.2)


def test_regions_that_do_not_answer_in_time_count_as_far(quick):
    async def work():
        async with serving({"GET /here": (200, {}), "GET /there": hang, "GET /broken": (500, {})}) as server:
            regions = [{"id": name, "ping_url": f"{server.url}/{name}"} for name in ("here", "there", "broken")]
            server.answers["GET /regions"] = (200, {"regions": regions})
            server.answers["POST /sessions/request"] = (418, {})
            with pytest.raises(errors.OdysseyConnectionError, match="gave no session: 418"):
                await Odyssey(SECRET, api_url=server.url).connect()
            [body] = [body for name, body in server.asked if name == "POST /sessions/request"]
            assert '"there": 9999' in body
            assert '"broken": 9999' in body
            assert '"here": 9999' not in body

    run(work())


@pytest.mark.parametrize(
    "regions", [(404, {}), (200, "no JSON"), (200, {"regions": None}), (200, {"regions": [1]}), (200, [])]
)
def test_regions_that_cannot_be_read_are_left_out(regions):
    async def work():
        async with serving({"GET /regions": regions, "POST /sessions/request": (418, {})}) as server:
            with pytest.raises(errors.OdysseyConnectionError, match="418"):
                await Odyssey(SECRET, api_url=server.url).connect()
            assert ("POST /sessions/request", "{}") in server.asked

    run(work())


def signalled(url):
    return {"session_id": "ses_1", "signalling_url": f"ws{url.removeprefix('http')}/signalling"}


def test_the_signalling_is_tried_again_as_often_as_the_settings_say():
    async def work():
        async with serving({"POST /sessions/token": (200, {"session_token": "a.token.x"})}) as server:
            server.answers["POST /sessions/request"] = (200, signalled(server.url))
            settings = AdvancedConfig(max_retries=2, initial_retry_delay_ms=10)
            client = Odyssey(SECRET, api_url=server.url, advanced=settings)
            with pytest.raises(errors.OdysseyConnectionError, match="signalling refused the connection: 404") as caught:
                await client.connect()
            assert server.count("GET /signalling/client/ses_1") == 3
            assert "a.token.x" not in f"{caught.value}{caught.value.__cause__!r}"
            assert not any("telemetry" in name for name, _ in server.asked)

    run(work())


def test_pauses_grow_up_to_the_longest():
    settings = AdvancedConfig()
    assert [settings.pause_s(attempt) for attempt in range(4)] == [1.0, 2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, "<html>a portal of the hotel</html>"), "JSONDecodeError"),
        ((200, {}), "without session_id or signalling_url"),
        ((200, []), "no JSON object"),
        ((429, {"detail": "slow down"}), "too many requests: 429 slow down"),
        ((500, {}), "gave no session: 500"),
    ],
)
def test_a_session_that_cannot_be_read_is_a_connection_error(answer, words):
    async def work():
        async with serving({"POST /sessions/request": answer}) as server:
            with pytest.raises(errors.OdysseyConnectionError, match=words):
                await Odyssey(SECRET, api_url=server.url).connect()

    run(work())


def decoded(url):
    head, _, data = url.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def png(size, mode="RGB"):
    content = io.BytesIO()
    Image.new(mode, size, "red").save(content, format="PNG")
    return content.getvalue()


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize("kind", ["array", "grey array", "image", "bytes", "path"])
def test_pictures_of_all_kinds_fill_the_stream(tmp_path, kind, portrait):
    file = tmp_path / "start.png"
    file.write_bytes(png((300, 100), "RGBA"))
    image = {
        "array": np.full((100, 300, 3), (255, 0, 0), np.uint8),
        "grey array": np.full((100, 300), 76, np.uint8),
        "image": Image.new("P", (30, 40)),
        "bytes": png((1280, 704)),
        "path": str(file),
    }[kind]
    picture = decoded(data_url(image, portrait=portrait))
    assert picture.size == ((704, 1280) if portrait else (1280, 704))
    assert picture.format == "JPEG"


def test_a_data_url_stays_as_it_is():
    assert data_url("data:image/png;base64,AAAA", portrait=True) == "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("nowhere.png", "no picture can be read from 'nowhere.png'"),
        (b"no picture at all", "no format that is known"),
        (b"\0" * (25 * 1024 * 1024 + 1), "at most 26214400"),
        (7, "no picture can be read from 7"),
        (np.zeros((2, 2, 7), np.uint8), "an array of Shape"),
    ],
)
def test_what_is_no_picture_is_named(image, words):
    with pytest.raises(ValueError, match=words):
        data_url(image, portrait=False)
