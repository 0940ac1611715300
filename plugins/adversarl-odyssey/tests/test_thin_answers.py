"""The thin client against answers that no emulator gives, and what it does alone."""

import asyncio
import base64
import inspect
import io
from dataclasses import fields

import numpy as np
import pytest
from adversarl_odyssey.thin import AdvancedConfig, Odyssey, errors, link, session, types
from adversarl_odyssey.thin.handlers import Handlers
from adversarl_odyssey.thin.images import data_url
from aiohttp import web
from answers_server import hang, serving
from leakless import run, until
from PIL import Image

SCENE = "A table in a workshop"
SECRET = "ody_this_is_the_secret_0123456789"


def test_a_service_that_quotes_the_key_is_not_quoted():
    async def work():
        async with serving({"POST /auth/token": (403, {"detail": f"the key {SECRET} is revoked"})}) as server:
            client = Odyssey(SECRET, api_url=server.url)
            with pytest.raises(errors.OdysseyAuthError, match=r"the key \(key\) is revoked"):
                await client.connect()

    run(work())


def test_nobody_at_the_address_is_a_connection_error():
    async def work():
        async with serving({}) as server:
            url = server.url
        with pytest.raises(errors.OdysseyConnectionError, match="Cannot connect"):
            await Odyssey(SECRET, api_url=url).connect()

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


def test_a_service_that_goes_away_with_a_goodbye_is_told_by_the_status_alone(open_emulator):
    server = open_emulator()

    async def work():
        client, states, faults = Odyssey(server.key, api_url=server.url), [], []
        await client.connect(
            on_status_change=lambda status, message: states.append(status.value),
            on_error=lambda error, fatal: faults.append(error),
        )
        await client.start_stream(SCENE, portrait=False)
        await asyncio.to_thread(server.close)
        await until(lambda: not client.is_connected)
        assert states == ["authenticating", "connecting", "connected", "disconnected"]
        assert faults == []
        with pytest.raises(errors.OdysseyStreamError, match="disconnected, not connected"):
            await client.interact("Dim the lights")
        with pytest.raises(errors.OdysseyConnectionError):
            await client.connect()
        await client.disconnect()

    asyncio.run(work())
