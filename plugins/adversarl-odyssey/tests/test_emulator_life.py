import asyncio

import pytest
from raw_client import RawClient, data_url


def test_hours_that_are_used_up_end_a_stream(stream, open_emulator):
    server = open_emulator(monthly_hours=0.3 / 3600)

    async def script(client):
        await client.start()
        assert await client.error() == "quota_exceeded"
        return (await client.post("/sessions/request", {}))[1]["detail"]["error"]

    assert stream(script, server) == "MONTHLY_LIMIT_REACHED"


@pytest.mark.parametrize("fault", ["drop-connection=0.2", "expire-token=1"])
def test_connections_break_without_goodbye(stream, emulator, fault):
    emulator.faults.switch(fault)

    async def script(client):
        await client.start()
        await client.until(lambda: client.socket.closed)
        assert client.socket.close_code == 1006
        emulator.faults.clear()
        await client.until(lambda: not emulator.stats()["streams"])

    stream(script)


def test_late_frames_come_later(stream, emulator):
    async def script(client):
        await client.start()
        await client.picture(after=2)
        emulator.faults.switch("late-frames=30")
        await asyncio.sleep(0.5)
        count = len(client.frames)
        await asyncio.sleep(1)
        assert len(client.frames) <= count + 1
        await client.end()

    stream(script)


def test_a_connection_without_a_stream_is_cleaned_up(stream, open_emulator):
    server = open_emulator(idle_s=0.5)

    async def script(client):
        await client.start()
        await asyncio.sleep(1)
        assert not client.socket.closed
        await client.end()
        await client.until(lambda: client.socket.closed)

    stream(script, server)


def test_a_session_that_was_left_without_goodbye_may_linger(converse, open_emulator):
    server = open_emulator(linger_s=60.0)

    async def script(client):
        await client.dial()
        client.socket._response.connection.transport.abort()
        await client.until(lambda: not server.stats()["connections"])
        lingering = server.stats()["sessions"]
        await client.dial()
        await client.leave()
        await client.until(lambda: not server.stats()["connections"])
        return lingering, server.stats()["sessions"]

    assert converse(script, server) == (1, 1)


def test_several_streams_are_worlds_of_their_own(emulator):
    async def script():
        async with RawClient(emulator) as one, RawClient(emulator) as other:
            for client in (one, other):
                await client.connect()
                await client.start("a robot at a table")
            await one.interact("dim the lights")
            return (await one.picture(after=4)).mean(), (await other.picture(after=4)).mean()

    dim, bright = asyncio.run(script())
    assert dim < 0.8 * bright


def test_clients_that_leave_while_a_stream_begins_leave_no_world_behind(converse, open_emulator):
    server = open_emulator()
    studio = server.running.emulator.studio

    async def script(client):
        for pause in (0.0, 0.001, 0.003, 0.01):
            await client.connect()
            for _ in range(5):
                client.send({"type": "interactive_stream_start", "prompt": "x", "input_image_base64": data_url("red")})
            await asyncio.sleep(pause)
            await client.leave(politely=False)
            await client.until(lambda: not server.stats()["connections"])
        assert server.stats()["stages"] == 0
        assert len(studio._made) == len(studio._idle) == 1

    converse(script, server)


def test_fifty_clients_leave_nothing_behind(converse, open_emulator):
    server = open_emulator(fps=30)

    async def script(client):
        async def visit(count):
            for number in range(count):
                await client.connect()
                await client.start()
                await client.leave(politely=number % 2 == 0)
                await client.until(lambda: not server.stats()["connections"])
            return server.stats()

        before = await visit(2)
        after = await visit(48)
        assert after["served"] == 50
        for name in ("sessions", "connections", "streams", "stages"):
            assert after[name] == 0, name
        assert after["tasks"] <= before["tasks"]

    converse(script, server)


def test_a_world_that_fails_ends_its_stream_and_is_not_lent_again(stream, open_emulator, caplog):
    server = open_emulator()
    studio = server.running.emulator.studio

    async def script(client):
        await client.start()
        await client.picture()
        (world,) = studio._made
        world.simulations.clear()
        assert await client.error() == "internal_error"
        await client.start()
        await client.picture(after=2)
        await client.end()
        assert world not in studio._made

    stream(script, server)
    assert "cannot be shown" in caplog.text
