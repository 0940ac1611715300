import asyncio
import json
import time
import urllib.request

import aiohttp
import pytest
from adversarl_odyssey.emulator.faults import FAULTS, Faults
from adversarl_odyssey.emulator.options import EmulatorOptions
from adversarl_odyssey.emulator.server import ServerThread
from adversarl_odyssey.emulator.tokens import Signer
from adversarl_odyssey.errors import OdysseyError
from aiortc import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs
from raw_client import RawClient


def test_the_key_buys_a_token_and_the_token_a_session(converse, emulator):
    async def script(client):
        status, regions = await client.get("/regions")
        assert status == 200
        assert regions["regions"][0]["ping_url"] == f"{emulator.url}/ping"
        assert (await client.get("/ping"))[0] == 200
        assert "ses_" in await client.admit()
        assert client.session["capabilities"] == {"image_to_video": True}
        assert client.session["signalling_url"] == emulator.url.replace("http", "ws") + "/signalling"

    converse(script)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"api_key": "ody_wrong"}, 401), ({"api_key": "\ud800"}, 401), ({"api_key": 3}, 422), ({}, 422), ([], 422)],
)
def test_other_keys_are_refused(converse, body, status):
    async def script(client):
        return await client.post("/auth/token", body)

    found, answer = converse(script)
    assert (found, list(answer)) == (status, ["detail"])


def test_without_a_token_nothing_is_given(converse):
    async def script(client):
        for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": f"Basic {client.key}"}):
            client.headers = headers
            assert (await client.get("/regions"))[0] == 401
            assert (await client.post("/sessions/request", {}))[0] == 401
            assert (await client.post("/sessions/token", {"session_id": "ses_1"}))[0] == 401
            assert (await client.post("/emulator/faults", {}))[0] == 401

    converse(script)


def test_bodies_that_are_no_objects_are_refused_and_kill_nothing(converse):
    async def script(client):
        for path in ("/auth/token", "/sessions/request", "/sessions/token", "/emulator/faults"):
            for body in (b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000):
                async with client.http.post(client.url + path, data=body, headers=client.headers) as response:
                    assert response.status == 422, (path, body)
        assert (await client.post("/sessions/token", {"session_id": ["x"]}))[0] == 404
        assert (await client.post("/telemetry", {"events": []}))[0] == 202
        assert await client.admit()

    converse(script)


def test_the_websocket_admits_only_the_token_of_its_session(converse):
    async def script(client):
        address = await client.admit()
        other = (await client.admit()).partition("?")[2]
        plain = address.partition("?")[0]
        for wrong in (plain, f"{plain}?token=nonsense", f"{plain}?{other}", address[:-2]):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await client.http.ws_connect(wrong)
            assert refusal.value.status == 401
        assert (await client.dial(address))["type"] == "offer"

    converse(script)


def test_clients_ask_no_other_server_for_their_address(converse):
    async def script(client):
        return (await client.get("/signalling/config"))[1]["iceServers"]

    servers = [RTCIceServer(urls=server["urls"]) for server in converse(script)]
    assert servers
    assert connection_kwargs(servers) == {}


def test_a_session_that_has_ended_cannot_be_entered(converse):
    async def script(client):
        address = await client.admit()
        await client.dial(address)
        await client.leave()
        await client.until(lambda: True)
        async with asyncio.timeout(10):
            while True:
                try:
                    await (await client.http.ws_connect(address)).close()
                except aiohttp.WSServerHandshakeError as error:
                    return error.status
                await asyncio.sleep(0.05)

    assert converse(script) == 404


def test_clients_wait_while_all_streamers_are_in_use(converse, open_emulator):
    server = open_emulator(max_streams=1)

    async def script(client):
        await client.dial()
        assert (await client.post("/sessions/request", {}))[0] == 503
        await client.leave()
        async with asyncio.timeout(10):
            while (await client.post("/sessions/request", {}))[0] == 503:
                await asyncio.sleep(0.05)

    converse(script, server)


def test_the_account_may_have_so_many_sessions(converse, open_emulator):
    async def script(client):
        await client.admit()
        return await client.post("/sessions/request", {})

    status, answer = converse(script, open_emulator(concurrent=1))
    assert (status, answer["detail"]["error"]) == (429, "CONCURRENT_LIMIT_REACHED")
    assert answer["detail"]["details"] == {"active_count": 1, "limit": 1}


def test_sessions_that_nobody_claims_are_cleaned_up(converse, open_emulator):
    server = open_emulator(max_streams=1, claim_s=0.2)

    async def script(client):
        await client.admit()
        async with asyncio.timeout(10):
            while server.stats()["sessions"]:
                await asyncio.sleep(0.05)

    converse(script, server)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("quota", "MONTHLY_LIMIT_REACHED"),
        ("suspended", "ACCOUNT_SUSPENDED"),
        ("concurrent", "CONCURRENT_LIMIT_REACHED"),
        ("rate-limit=1", "RATE_LIMITED"),
    ],
)
def test_refusals_name_their_error(converse, emulator, fault, code):
    emulator.faults.switch(fault)

    async def script(client):
        return await client.post("/sessions/request", {})

    status, answer = converse(script)
    assert (status, answer["detail"]["error"]) == (429, code)
    assert answer["detail"]["message"]
    assert answer["detail"]["action"]


def test_counted_faults_end_by_themselves(converse, emulator):
    emulator.faults.switch("busy=2")

    async def script(client):
        return [(await client.post("/sessions/request", {}))[0] for _ in range(3)]

    assert converse(script) == [503, 503, 200]


def test_tokens_that_expire_early_are_worthless(converse, emulator):
    emulator.faults.switch("expire-token=0")

    async def script(client):
        return (await client.post("/sessions/request", {}))[0]

    assert converse(script) == 401


def test_faults_are_switched_over_http_with_the_key_itself(converse, emulator):
    async def script(client):
        client.headers = {"Authorization": f"Bearer {client.key}"}
        status, shown = await client.post("/emulator/faults", {"faults": ["late-frames=0.5", "quota"]})
        assert (status, shown) == (200, {"faults": {"late-frames": 0.5, "quota": 1.0}})
        status, refusal = await client.post("/emulator/faults", {"faults": ["late-frame=1"]})
        assert status == 422
        assert "Did you mean 'late-frames'?" in refusal["detail"]
        assert (await client.post("/emulator/faults", {"faults": 3}))[0] == 422
        assert (await client.post("/emulator/faults", {"clear": True, "faults": ["busy=1"]}))[1] == {
            "faults": {"busy": 1.0}
        }
        return await client.get("/emulator/faults")

    assert converse(script) == (200, {"faults": {"busy": 1.0}})


@pytest.mark.parametrize("setting", ["late-frames", "late-frames=x", "busy=1.5", "busy=-1", "quota=2", "nonsense"])
def test_a_fault_that_makes_no_sense_is_named(setting):
    with pytest.raises(OdysseyError, match=setting.partition("=")[0]):
        Faults((setting,))


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_be_switched_on_and_off(name):
    faults = Faults((name if FAULTS[name][0] == "switch" else f"{name}=2",))
    assert faults.get(name)
    faults.switch(f"{name}=off")
    assert faults.show() == {}


def test_tokens_cannot_be_forged():
    signer = Signer()
    token = signer.sign(60, session_id="ses_1")
    assert signer.read(token)["session_id"] == "ses_1"
    head, body, signature = token.split(".")
    for forged in (
        "",
        "x",
        f"{head}.{body}.",
        f"{head}.{body[:-2]}.{signature}",
        f"{head}.{body}.ü",
        Signer().sign(60),
    ):
        assert signer.read(forged) is None
    assert signer.read(signer.sign(-1)) is None


def test_it_says_that_it_is_an_emulator(emulator):
    with urllib.request.urlopen(emulator.url) as response:
        assert "EMULATOR" in json.load(response)["service"]


def test_a_port_in_use_is_named(emulator):
    port = int(emulator.url.rpartition(":")[2])
    with pytest.raises(OdysseyError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose"):
        ServerThread(EmulatorOptions(port=port)).start()


def test_a_fault_without_sense_stops_the_start():
    with pytest.raises(OdysseyError, match="no fault 'slow'"):
        ServerThread(EmulatorOptions(faults=("slow",))).start()


def test_it_ends_while_clients_are_connected(open_emulator):
    server = open_emulator()

    async def script():
        async with RawClient(server) as client:
            await client.connect()
            await client.start()
            await asyncio.to_thread(server.close)
            await client.until(lambda: client.socket.closed)
            assert client.socket.close_code == 1001

    began = time.monotonic()
    asyncio.run(script())
    assert time.monotonic() - began < 25
