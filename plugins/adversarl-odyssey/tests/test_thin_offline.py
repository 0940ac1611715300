import asyncio
import time

import pytest
from adversarl_odyssey.thin import Odyssey
from adversarl_odyssey.thin.types import SimulationJobStatus
from answers_server import serving

SECRET = "ody_this_is_the_secret_0123456789"
SCRIPT = [{"timestamp_ms": 0, "start": {"prompt": "A table"}}, {"timestamp_ms": 400, "end": {}}]
LONG = [{"timestamp_ms": 0, "start": {"prompt": "A table"}}, {"timestamp_ms": 60000, "end": {}}]
PATIENCE_S = 20.0


def run(server, work):
    async def guarded():
        client = Odyssey(server.key, api_url=server.url)
        try:
            return await work(client)
        finally:
            await client.disconnect()

    return asyncio.run(guarded())


async def done(client, job_id):
    end = time.monotonic() + PATIENCE_S
    while (job := await client.get_simulate_status(job_id)).status in ("pending", "dispatched", "processing"):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    return job


def test_a_job_becomes_a_video(emulator):
    async def work(client):
        job = await client.simulate(script=SCRIPT, portrait=False)
        assert job.streams == []
        finished = await done(client, job.job_id)
        assert finished.status is SimulationJobStatus.COMPLETED
        [stream] = finished.streams
        async with client.api.session.get(stream.video_url) as response:
            assert b"ftyp" in (await response.read())[:12]
        listed = await client.list_simulations(limit=5)
        assert job.job_id in [item.job_id for item in listed.jobs]
        assert listed.limit == 5

    run(emulator, work)


def test_a_job_may_be_of_several_scripts_and_pictures(emulator):
    async def work(client):
        script = [{"timestamp_ms": 0, "start": {"prompt": "A table", "image": make_picture()}}, SCRIPT[-1]]
        job = await client.simulate(scripts=[SCRIPT, script], portrait=True)
        finished = await done(client, job.job_id)
        assert sorted(stream.script_index for stream in finished.streams) == [0, 1]

    run(emulator, work)


def make_picture():
    from PIL import Image

    return Image.new("RGB", (64, 48), "red")


def test_a_waiting_job_can_be_cancelled(emulator):
    async def work(client):
        jobs = [await client.simulate(script=LONG, portrait=False) for _ in range(3)]
        cancelled = await client.cancel_simulation(jobs[-1].job_id)
        assert cancelled.status is SimulationJobStatus.CANCELLED
        with pytest.raises(ValueError, match=r"."):
            await client.cancel_simulation(jobs[-1].job_id)
        for job in jobs[:-1]:
            try:
                await client.cancel_simulation(job.job_id)
            except ValueError:
                assert (await client.get_simulate_status(job.job_id)).status == "processing"

    run(emulator, work)


def test_a_stream_leaves_a_recording(emulator):
    async def work(client):
        await client.connect()
        stream = await client.start_stream("A table", portrait=False)
        await asyncio.sleep(0.5)
        await client.end_stream()
        recording = await client.get_recording(stream)
        assert recording.stream_id == stream
        assert recording.video_url
        page = await client.list_stream_recordings(limit=1)
        assert page.recordings[0].stream_id == stream
        assert (page.recordings[0].width, page.recordings[0].height) == (160, 96)

    run(emulator, work)


def test_what_is_not_there_is_a_value_error(emulator):
    async def work(client):
        for call in (client.get_simulate_status, client.cancel_simulation, client.get_recording):
            with pytest.raises(ValueError, match="there is no such"):
                await call("nobody")

    run(emulator, work)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "exactly one of"),
        ({"script": SCRIPT, "script_url": "http://a"}, "exactly one of"),
        ({"script": [{"timestamp_ms": 0, "start": {}}]}, "entry 0 of the script starts without a prompt"),
        ({"script": [{"timestamp_ms": 0, "start": {"prompt": "x", "image": "nowhere.png"}}]}, "no picture can be read"),
    ],
)
def test_a_bad_script_is_refused_before_it_is_sent(arguments, words):
    async def work():
        async with serving({}) as server:
            client = Odyssey(SECRET, api_url=server.url)
            with pytest.raises(ValueError, match=words):
                await client.simulate(**arguments)
            await client.disconnect()
            assert server.asked == []

    asyncio.run(work())


@pytest.mark.parametrize(("paging", "words"), [({"limit": 0}, "between 1 and 100"), ({"offset": -1}, "negative")])
def test_pages_that_cannot_be_are_refused(paging, words):
    client = Odyssey(SECRET, api_url="http://127.0.0.1:9")
    with pytest.raises(ValueError, match=words):
        asyncio.run(client.list_simulations(**paging))


def test_filters_travel_as_the_service_reads_them():
    page = {"jobs": [], "total": 0, "limit": 3, "offset": 4}

    async def work():
        seen = []

        async def answer(request):
            from aiohttp import web

            seen.append(dict(request.query))
            return web.json_response(page)

        async with serving({"GET /simulation-jobs": answer}) as server:
            client = Odyssey(SECRET, api_url=server.url)
            await client.list_simulations(status=SimulationJobStatus.FAILED, active=False, limit=3, offset=4)
            await client.disconnect()
        assert seen == [{"status": "failed", "active": "false", "limit": "3", "offset": "4"}]

    asyncio.run(work())


def test_a_token_is_used_until_it_is_about_to_end():
    async def work(expires_in):
        page = (200, {"jobs": [], "total": 0, "limit": 1, "offset": 0})
        login = (200, {"access_token": "a-token", "expires_in": expires_in})
        async with serving({"GET /simulation-jobs": page, "POST /auth/token": login}) as server:
            client = Odyssey(SECRET, api_url=server.url)
            for _ in range(3):
                await client.list_simulations()
            await client.disconnect()
            return server.count("POST /auth/token")

    assert asyncio.run(work(600)) == 1
    assert asyncio.run(work(30)) == 3


def test_an_answer_that_lacks_something_is_a_key_error():
    async def work():
        async with serving({"POST /simulation-jobs": (200, {"job_id": "job_1", "status": "pending"})}) as server:
            client = Odyssey(SECRET, api_url=server.url)
            with pytest.raises(KeyError, match="lacks something"):
                await client.simulate(script=SCRIPT)
            await client.disconnect()

    asyncio.run(work())
