"""Recordings of live streams: of pictures handed over by the test, and of streams through WebRTC."""

import asyncio
import io
import threading
import time
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp
import av
import numpy as np
import pytest
from adversarl_odyssey.emulator.archive import Archive
from adversarl_odyssey.emulator.recordings import WAITING, Recordings
from adversarl_odyssey.thin import Odyssey
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

FPS, SIZE, WAIT_S = 10.0, (48, 64), 20.0


def grey(value, size=SIZE):
    return np.full((*size, 3), value, np.uint8)


async def read(session, url):
    """All pictures of the film at an address, and their times [s]."""
    async with session.get(url) as response:
        assert response.status == 200
        with av.open(io.BytesIO(await response.read())) as container:
            frames = [(frame.to_ndarray(format="rgb24"), frame.time) for frame in container.decode(video=0)]
    return np.array([picture for picture, _ in frames]), [at for _, at in frames]


class Desk:
    """A client of a server that has nothing but recordings."""

    def __init__(self, client, archive, recordings):
        self.client, self.archive, self.recordings = client, archive, recordings

    async def ask(self, path, owner="ann"):
        async with self.client.get(path, headers={"Authorization": owner}) as response:
            return response.status, await response.json()

    async def get(self, stream_id, **options):
        return (await self.ask(f"/recordings/{stream_id}", **options))[1]

    def stream(self, stream_id="str_1", owner="ann", pictures=3):
        """A recorder that has been shown pictures, ever brighter ones."""
        recorder = self.recordings.begin(stream_id, owner, SIZE)
        recorder.note(0.0, "start", "a grey wall", "a grey wall")
        for number in range(pictures):
            recorder.add(grey(40 * number), number / FPS)
            self.archive.submit(int).result()
        return recorder


@asynccontextmanager
async def desk(**options):
    archive = Archive(**options)
    recordings = Recordings(archive, FPS, lambda request: request.headers["Authorization"])
    app = web.Application()
    recordings.add_routes(app)
    archive.add_routes(app)
    async with TestClient(TestServer(app)) as client:
        try:
            yield Desk(client, archive, recordings)
        finally:
            recordings.close()
            await archive.close()


@pytest.fixture
def hold():
    """``hold(archive)`` keeps the writer of films busy until what it returned is set."""
    gates = []

    def keep(archive):
        gates.append(threading.Event())
        archive.submit(gates[-1].wait, WAIT_S)
        return gates[-1]

    yield keep
    for gate in gates:
        gate.set()


def test_a_recording_has_the_pictures_of_its_stream_at_their_times():
    async def run():
        async with desk() as server:
            recorder = server.stream(pictures=0)
            for number, at in enumerate((0.4, 0.5, 0.9)):
                recorder.add(grey(100 * number), at)
            recorder.end(1.5)
            found = await server.get("str_1")
            return found, await read(server.client.session, found["video_url"])

    found, (shown, times) = asyncio.run(run())
    assert found["stream_id"] == "str_1"
    assert found["frame_count"] == 3
    assert found["duration_seconds"] == pytest.approx(0.6)
    assert shown.mean(axis=(1, 2, 3)) == pytest.approx([0, 100, 200], abs=3)
    assert times == pytest.approx([0.0, 0.1, 0.5], abs=1e-3)


def test_a_stream_that_runs_has_no_addresses_yet():
    async def run():
        async with desk() as server:
            recorder = server.stream()
            running = await server.get("str_1"), (await server.ask("/stream-recordings"))[1]
            recorder.end()
            return *running, await server.get("str_1"), (await server.ask("/stream-recordings"))[1]

    running, listed, ended, listed_later = asyncio.run(run())
    assert set(running.values()) == {"str_1", None}
    assert all(ended[name] for name in running)
    before, after = listed["recordings"][0], listed_later["recordings"][0]
    assert before["ended_at"] is before["duration_seconds"] is None
    assert (after["width"], after["height"]) == (64, 48)
    assert datetime.fromisoformat(after["started_at"]) <= datetime.fromisoformat(after["ended_at"])
    assert after["duration_seconds"] == ended["duration_seconds"] == pytest.approx(0.3)


def test_recordings_are_listed_newest_first_by_page_and_by_owner():
    async def run():
        async with desk() as server:
            for number in range(5):
                server.stream(f"str_{number}", owner="bob" if number == 2 else "ann", pictures=1).end()
            queries = ("", "?limit=2&offset=1", "?offset=9")
            pages = [(await server.ask(f"/stream-recordings{query}"))[1] for query in queries]
            wrong = [(await server.ask(f"/stream-recordings?{query}"))[0] for query in ("limit=0", "offset=-1")]
            return pages, wrong, await server.ask("/recordings/str_2"), await server.ask("/recordings/str_9")

    (everything, middle, beyond), wrong, foreign, unknown = asyncio.run(run())
    assert [one["stream_id"] for one in everything["recordings"]] == ["str_4", "str_3", "str_1", "str_0"]
    assert [one["stream_id"] for one in middle["recordings"]] == ["str_3", "str_1"]
    assert {key: middle[key] for key in ("total", "limit", "offset")} == {"total": 4, "limit": 2, "offset": 1}
    assert beyond["recordings"] == []
    assert wrong == [422, 422]
    assert foreign == unknown == (404, {"detail": "Recording not found"})


def test_a_slow_writer_leaves_pictures_out_and_holds_nobody_up(hold):
    async def run():
        async with desk() as server:
            recorder = server.recordings.begin("str_1", "ann", SIZE)
            gate = hold(server.archive)
            for number in range(50):
                recorder.add(grey(number), number / FPS)
            left_out = recorder.left_out
            gate.set()
            recorder.end()
            return left_out, await server.get("str_1")

    left_out, found = asyncio.run(run())
    assert left_out == 50 - WAITING
    assert found["frame_count"] == WAITING


def test_what_comes_after_the_end_is_not_recorded():
    async def run():
        async with desk() as server:
            recorder = server.stream()
            recorder.end()
            ended = recorder.ended_at
            recorder.add(grey(9), 5.0)
            recorder.note(5.0, "interact", "late")
            recorder.end()
            return ended == recorder.ended_at, await server.get("str_1")

    same, found = asyncio.run(run())
    assert same
    assert found["frame_count"] == 3


def test_a_recording_that_breaks_is_given_up_and_the_stream_goes_on(caplog):
    async def run():
        async with desk() as server:
            recorder = server.stream()
            recorder.add(grey(0, (32, 32)), 1.0)
            recorder.add(grey(0), 1.1)
            recorder.end()
            return await server.get("str_1")

    found = asyncio.run(run())
    assert found["video_url"] is found["frame_count"] is None
    assert "the recording of str_1 is given up" in caplog.text


def test_a_stream_without_pictures_has_events_only():
    async def run():
        async with desk() as server:
            server.stream(pictures=0).end()
            return await server.get("str_1")

    found = asyncio.run(run())
    assert (found["frame_count"], found["duration_seconds"]) == (0, 0.0)
    assert found["video_url"] is found["preview_url"] is found["thumbnail_url"] is None
    assert found["events_url"] is not None


def test_old_streams_are_forgotten_with_their_files(monkeypatch):
    monkeypatch.setattr("adversarl_odyssey.emulator.recordings.REMEMBERED", 2)

    async def run():
        async with desk() as server:
            for number in range(3):
                server.stream(f"str_{number}").end()
            await server.get("str_2")
            folder = server.archive.folder("other").parent
            return (await server.ask("/stream-recordings"))[1]["total"], sorted(path.name for path in folder.iterdir())

    total, names = asyncio.run(run())
    assert total == 2
    assert names == ["other", "str_1", "str_2"]


def test_closing_completes_what_is_being_recorded_and_deletes_everything():
    async def run():
        async with desk() as server:
            recorder = server.stream()
            folder = server.archive.folder("other").parent
            server.recordings.close()
            facts = await recorder.facts()
            await server.archive.close()
            return facts, folder

    facts, folder = asyncio.run(run())
    assert facts.frame_count == 3
    assert not folder.exists()


async def until(condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_a_live_stream_is_recorded_as_the_client_saw_it(emulator):
    async def run():
        client, frames = Odyssey(emulator.key, api_url=emulator.url), []
        await client.connect(on_video_frame=frames.append)
        stream_id = await client.start_stream("A cube on a table", portrait=False)
        await until(lambda: len(frames) >= 8)
        await client.interact("turn the lights off")
        await until(lambda: len(frames) >= 20)
        await client.end_stream()
        found = await client.get_recording(stream_id)
        listed = await client.list_stream_recordings(limit=1)
        await client.disconnect()
        async with aiohttp.ClientSession() as session:
            shown, _ = await read(session, found.video_url)
            async with session.get(found.events_url) as response:
                return stream_id, frames, found, listed, shown, await response.json(content_type=None)

    stream_id, frames, found, listed, shown, told = asyncio.run(run())
    assert listed.recordings[0].stream_id == found.stream_id == stream_id
    assert listed.recordings[0].ended_at is not None
    assert found.frame_count == len(shown) >= 8
    assert shown.shape[1:] == frames[0].data.shape
    light = shown.mean(axis=(1, 2, 3))
    assert light[0] == pytest.approx(frames[0].data.mean(), abs=10)
    assert light[-1] < light[0] - 10
    assert [event["type"] for event in told["events"]] == ["start", "interact", "end"]
    assert told["events"][1]["prompt"] == "turn the lights off"


def test_a_connection_that_breaks_ends_its_recording(emulator):
    async def run():
        client, frames = Odyssey(emulator.key, api_url=emulator.url), []
        await client.connect(on_video_frame=frames.append)
        stream_id = await client.start_stream("A cube on a table", portrait=True)
        await until(lambda: len(frames) >= 3)
        emulator.faults.switch("drop-connection=0")
        await until(lambda: emulator.stats()["streams"] == 0)
        emulator.faults.clear()
        await client.disconnect()
        other = Odyssey(emulator.key, api_url=emulator.url)
        found = await other.get_recording(stream_id)
        await other.disconnect()
        async with aiohttp.ClientSession() as session:
            return found, (await read(session, found.video_url))[0]

    found, shown = asyncio.run(run())
    assert found.frame_count == len(shown) >= 1
    assert shown.shape[1:3] == (160, 96)
