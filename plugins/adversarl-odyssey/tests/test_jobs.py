"""The emulator's simulation jobs over real HTTP, with a studio of point-mass worlds."""

import asyncio
import base64
import io
import json
import time
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from adversarl_odyssey.emulator.archive import Archive
from adversarl_odyssey.emulator.films import Film, find_codec
from adversarl_odyssey.emulator.offline import Offline
from adversarl_odyssey.emulator.scripts import ScriptError, parse_script, parse_scripts
from adversarl_odyssey.thin import Odyssey
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from adversarl.plugins import build_plugin_manager

FPS, SIZE, WAIT_S = 10.0, (48, 80), 60.0
SCENE = "a red dot on a table"


def data_url(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


HUGE = data_url(Image.new("1", (8200, 8200)))


def script(*said, end_ms=1000, prompt=SCENE, **start):
    """A script with interactions at their times [ms]."""
    told = [{"timestamp_ms": at, "interact": {"prompt": text}} for at, text in said]
    first = {"timestamp_ms": 0, "start": {"prompt": prompt, **start}}
    return [first, *told, {"timestamp_ms": end_ms, "end": {}}]


class Stage:
    """A point-mass world that obeys sentences, shown at a size."""

    def __init__(self, studio, prompt, size, image):
        backend = build_plugin_manager().registry.get("backend", "point-mass").load()
        self.studio, self.size, self.image = studio, size, image
        self.world = backend(backend.Options(num_envs=1)).make(seed=0)
        self.world.perturb([0], [self.world.ground(prompt).perturbations])
        self.world.reset(seed=[1])

    async def tell(self, text):
        if "explode" in text:
            raise RuntimeError("the world cannot do that")
        self.world.perturb([0], [self.world.ground(text).perturbations])
        return f"{text}, please"

    async def picture(self):
        await self.studio.gate.wait()
        self.studio.drawn += 1
        if self.image is not None:
            return cv2.resize(self.image, self.size[::-1])
        observation, *_ = self.world.step(np.zeros((1, *self.world.single_action_space.shape), np.float32))
        return cv2.resize(observation["image"][0], self.size[::-1])

    async def close(self):
        self.world.close()
        self.studio.in_use -= 1


class Studio:
    """Stages that can be held up at a gate."""

    def __init__(self, stages=2):
        self.stages, self.in_use, self.drawn, self.most = stages, 0, 0, 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def open(self, prompt, *, portrait=False, image=None):
        self.in_use += 1
        self.most = max(self.most, self.in_use)
        return Stage(self, prompt, SIZE[::-1] if portrait else SIZE, image)


def account(request):
    """Whoever says who they are, is."""
    name = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not name:
        raise web.HTTPUnauthorized(text='{"detail": "Not authorized"}', content_type="application/json")
    return name


class Desk:
    """A client of a server that has nothing but the offline part."""

    def __init__(self, client, offline, studio):
        self.client, self.offline, self.studio = client, offline, studio

    async def ask(self, method, path, body=None, owner="ann", raw=None):
        headers = {"Authorization": f"Bearer {owner}"} if owner else {}
        async with self.client.request(method, path, json=body, data=raw, headers=headers) as response:
            return response.status, await response.json()

    async def submit(self, body, **options):
        status, job = await self.ask("POST", "/simulation-jobs", body, **options)
        assert status == 201, job
        return job

    async def status(self, job, **options):
        status, detail = await self.ask("GET", f"/simulation-jobs/{job['job_id']}", **options)
        assert status == 200, detail
        return detail

    async def until(self, job, *wanted):
        async with asyncio.timeout(WAIT_S):
            while (detail := await self.status(job))["status"] not in wanted:
                await asyncio.sleep(0.01)
        return detail

    async def film(self, body):
        return await self.until(await self.submit(body), "completed", "failed")

    async def fetch(self, url, **options):
        async with self.client.session.get(url, **options) as response:
            return response.status, await response.read()


@asynccontextmanager
async def desk(stages=2, **options):
    studio = Studio(stages)
    archive = options.pop("archive", None) or Archive()
    brief = {"dispatch_s": 0.02, "start_s": 0.02, **options}
    offline = Offline(studio, fps=FPS, account=account, archive=archive, **brief)
    app = web.Application(client_max_size=64 << 20)
    offline.add_routes(app)
    async with TestClient(TestServer(app)) as client:
        try:
            yield Desk(client, offline, studio)
        finally:
            await offline.close()
    assert studio.in_use == 0


def pictures(video):
    """All pictures of an MP4 and their times [s]."""
    with av.open(io.BytesIO(video)) as container:
        stream = container.streams.video[0]
        frames = [(frame.to_ndarray(format="rgb24"), frame.time) for frame in container.decode(stream)]
        assert stream.frames == len(frames)
    return np.array([picture for picture, _ in frames]), [time for _, time in frames]


def refused(body, words):
    """Whether a body is refused with these words."""

    async def run():
        async with desk() as server:
            return await server.ask("POST", "/simulation-jobs", body)

    status, answer = asyncio.run(run())
    assert status == 400
    assert words in answer["detail"]


def test_a_script_becomes_an_mp4_whose_pictures_change_when_they_are_told_to():
    async def run():
        async with desk() as server:
            detail = await server.film({"script": script((600, "dim the lights"), end_ms=2000), "portrait": False})
            assert detail["status"] == "completed", detail
            return detail, await server.fetch(detail["streams"][0]["video_url"])

    detail, (status, video) = asyncio.run(run())
    stream = detail["streams"][0]
    assert status == 200
    shown, times = pictures(video)
    assert shown.shape == (20, *SIZE, 3)
    assert stream["frame_count"] == 20
    assert stream["duration_seconds"] == pytest.approx(2.0)
    assert times == pytest.approx(np.arange(20) / FPS, abs=1e-3)
    light = shown.mean(axis=(1, 2, 3))
    assert np.ptp(light[:6]) < 2 < light[:6].min() - light[6:].max()


def test_a_film_comes_with_events_a_thumbnail_and_a_preview():
    async def run():
        async with desk() as server:
            detail = await server.film({"script": script((300, "dim the lights")), "portrait": False})
            stream = detail["streams"][0]
            names = ("events_url", "thumbnail_url", "preview_url")
            return stream, [(await server.fetch(stream[name]))[1] for name in names]

    stream, (events, thumbnail, preview) = asyncio.run(run())
    told = json.loads(events)
    assert [event["type"] for event in told["events"]] == ["start", "interact", "end"]
    assert [event["timestamp_ms"] for event in told["events"]] == [0, 300, 1000]
    assert told["events"][1]["applied_prompt"] == "dim the lights, please"
    assert told["frame_count"] == stream["frame_count"] == 10
    assert Image.open(io.BytesIO(thumbnail)).format == "JPEG"
    shown, _ = pictures(preview)
    assert shown.shape[1:] == (*SIZE, 3)


def test_a_job_passes_through_all_states_at_times_that_grow():
    async def run():
        async with desk(dispatch_s=0.1, start_s=0.1) as server:
            server.studio.gate.clear()
            job = await server.submit({"script": script()})
            seen = [await server.until(job, state) for state in ("pending", "dispatched", "processing")]
            server.studio.gate.set()
            return [job, *seen, await server.until(job, "completed")]

    job, pending, dispatched, processing, done = asyncio.run(run())
    assert job["status"] == "pending"
    assert pending["dispatched_at"] is pending["assigned_region"] is None
    assert dispatched["started_at"] is processing["completed_at"] is None
    assert job["streams"] == processing["streams"] == []
    times = [datetime.fromisoformat(done[f"{what}_at"]) for what in ("created", "dispatched", "started", "completed")]
    assert times == sorted(times)
    assert all(moment.tzinfo is not None for moment in times)
    assert done["estimated_wait_minutes"] is None
    assert (done["retry_count"], done["error_message"]) == (0, None)


def test_several_scripts_give_one_stream_each_in_their_order():
    async def run():
        async with desk() as server:
            detail = await server.film({"scripts": [script(end_ms=300), script(end_ms=500)], "portrait": True})
            return detail, [pictures((await server.fetch(s["video_url"]))[1])[0] for s in detail["streams"]]

    detail, films = asyncio.run(run())
    assert [stream["script_index"] for stream in detail["streams"]] == [0, 1]
    assert [film.shape for film in films] == [(3, *SIZE[::-1], 3), (5, *SIZE[::-1], 3)]


def test_portrait_is_the_default_as_it_is_the_vendors():
    async def run():
        async with desk() as server:
            detail = await server.film({"script": script(end_ms=200)})
            return pictures((await server.fetch(detail["streams"][0]["video_url"]))[1])[0]

    assert asyncio.run(run()).shape[1:3] == SIZE[::-1]


def test_a_film_may_begin_with_an_image():
    image = data_url(Image.new("RGB", (30, 20), (250, 20, 20)))

    async def run():
        async with desk() as server:
            detail = await server.film({"script": script(end_ms=200, image=image), "portrait": False})
            return pictures((await server.fetch(detail["streams"][0]["video_url"]))[1])[0]

    red, green, blue = asyncio.run(run()).mean(axis=(0, 1, 2))
    assert red > 200
    assert max(green, blue) < 60


def test_a_job_that_waits_can_be_cancelled_and_one_that_runs_cannot():
    async def run():
        async with desk() as server:
            server.studio.gate.clear()
            first, second = await server.submit({"script": script()}), await server.submit({"script": script()})
            await server.until(first, "processing")
            cancelled = await server.ask("DELETE", f"/simulation-jobs/{second['job_id']}")
            late = await server.ask("DELETE", f"/simulation-jobs/{first['job_id']}")
            again = await server.ask("DELETE", f"/simulation-jobs/{second['job_id']}")
            server.studio.gate.set()
            await server.until(first, "completed")
            return cancelled, late, again, await server.status(second), server.studio.drawn

    cancelled, late, again, second, drawn = asyncio.run(run())
    assert cancelled[0] == 200
    assert cancelled[1]["status"] == second["status"] == "cancelled"
    assert second["completed_at"] is not None
    assert late == (400, {"detail": "A simulation job that is processing cannot be cancelled"})
    assert again[0] == 400
    assert drawn == 10


def test_a_job_can_be_cancelled_while_it_waits_for_a_stage():
    async def run():
        async with desk() as server:
            server.studio.in_use = server.studio.stages
            job = await server.submit({"script": script()})
            await server.until(job, "dispatched")
            await asyncio.sleep(0.1)
            assert (await server.status(job))["status"] == "dispatched"
            status, _ = await server.ask("DELETE", f"/simulation-jobs/{job['job_id']}")
            server.studio.in_use = 0
            await server.film({"script": script(end_ms=100)})
            return status, await server.status(job)

    status, job = asyncio.run(run())
    assert status == 200
    assert job["status"] == "cancelled"


def test_no_more_than_ten_jobs_may_wait():
    async def run():
        async with desk() as server:
            server.studio.gate.clear()
            first = await server.submit({"script": script(end_ms=100)})
            await server.until(first, "processing")
            waiting = [await server.submit({"script": script(end_ms=100)}) for _ in range(10)]
            refusal = await server.ask("POST", "/simulation-jobs", {"script": script()})
            other = await server.submit({"script": script(end_ms=100)}, owner="bob")
            await server.ask("DELETE", f"/simulation-jobs/{waiting[0]['job_id']}")
            server.studio.gate.set()
            await server.until(waiting[-1], "completed")
            return refusal, waiting[-1], other

    (status, body), last, _ = asyncio.run(run())
    assert status == 429
    assert body["detail"]["error"] == "RATE_LIMITED"
    assert last["estimated_wait_minutes"] > 0


def test_jobs_are_filmed_one_at_a_time():
    async def run():
        async with desk(stages=4) as server:
            jobs = [await server.submit({"script": script(end_ms=300)}) for _ in range(3)]
            await server.until(jobs[-1], "completed")
            return [await server.status(job) for job in jobs], server.studio.most

    jobs, most = asyncio.run(run())
    assert most == 1
    assert all(before["completed_at"] <= after["started_at"] for before, after in pairwise(jobs))


def test_films_give_way_to_live_streams_but_get_done():
    live = [1]

    async def run():
        async with desk(live=lambda: live[0]) as server:
            job = await server.submit({"script": script(end_ms=60_000)})
            await server.until(job, "processing")
            before, began = server.studio.drawn, time.monotonic()
            await asyncio.sleep(0.5)
            rate = (server.studio.drawn - before - 1) / (time.monotonic() - began)
            live[0] = 0
            return rate, await server.until(job, "completed")

    rate, detail = asyncio.run(run())
    assert rate <= FPS / 2
    assert detail["streams"][0]["frame_count"] == 600


def test_a_script_that_the_world_cannot_play_fails_its_job_and_no_other():
    async def run():
        async with desk() as server:
            bad = await server.film({"script": script((100, "explode"))})
            return bad, await server.film({"script": script(end_ms=100)})

    bad, good = asyncio.run(run())
    assert bad["status"] == "failed"
    assert bad["error_message"] == "RuntimeError: the world cannot do that"
    assert bad["streams"] == []
    assert good["status"] == "completed"


def test_a_job_fails_when_the_emulator_is_told_so():
    told = [True, False]

    async def run():
        async with desk(fail=told.pop) as server:
            return [await server.film({"script": script(end_ms=100)}) for _ in range(2)]

    good, bad = asyncio.run(run())
    assert good["status"] == "completed"
    assert (bad["status"], bad["streams"]) == ("failed", [])
    assert bad["error_message"] == "The emulator was told to fail this job"


def test_jobs_are_listed_newest_first_by_page_and_by_status():
    async def run():
        async with desk() as server:
            server.studio.gate.clear()
            jobs = [await server.submit({"script": script(end_ms=100)}) for _ in range(4)]
            await server.until(jobs[0], "processing")
            await server.ask("DELETE", f"/simulation-jobs/{jobs[3]['job_id']}")
            asked = ("", "?limit=2&offset=1", "?status=cancelled", "?active=true", "?active=true&status=pending")
            answers = [await server.ask("GET", f"/simulation-jobs{query}") for query in asked]
            foreign = await server.ask("GET", "/simulation-jobs", owner="bob")
            return [job["job_id"] for job in jobs], [body for _, body in answers], foreign[1]

    ids, (everything, paged, cancelled, active, pending), foreign = asyncio.run(run())
    assert [job["job_id"] for job in everything["jobs"]] == ids[::-1]
    assert {key: everything[key] for key in ("total", "limit", "offset")} == {"total": 4, "limit": 20, "offset": 0}
    assert [job["job_id"] for job in paged["jobs"]] == ids[2:0:-1]
    assert {key: paged[key] for key in ("total", "limit", "offset")} == {"total": 4, "limit": 2, "offset": 1}
    assert [job["job_id"] for job in cancelled["jobs"]] == ids[3:]
    assert [job["job_id"] for job in active["jobs"]] == ids[2::-1]
    assert [job["job_id"] for job in pending["jobs"]] == ids[2:0:-1]
    assert foreign["total"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "offset=-1", "status=done", "active=perhaps"])
def test_a_list_that_cannot_be_is_refused(query):
    async def run():
        async with desk() as server:
            return await server.ask("GET", f"/simulation-jobs?{query}")

    status, body = asyncio.run(run())
    assert status == 422
    assert body["detail"].startswith(query.split("=")[0])


def test_only_its_owner_sees_a_job():
    async def run():
        async with desk() as server:
            job = await server.submit({"script": script(end_ms=100)})
            path = f"/simulation-jobs/{job['job_id']}"
            strangers = [await server.ask(method, path, owner="bob") for method in ("GET", "DELETE")]
            nobody = await server.ask("POST", "/simulation-jobs", {"script": script()}, owner="")
            return strangers, nobody, await server.ask("GET", "/simulation-jobs/job_unknown")

    strangers, nobody, unknown = asyncio.run(run())
    assert [status for status, _ in strangers] == [403, 403]
    assert nobody[0] == 401
    assert unknown == (404, {"detail": "Simulation job not found"})


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([], "script: must be a list of 2 to 1000 entries"),
        ("a cat", "script: must be a list"),
        (script()[:1], "script: must be a list"),
        (script()[1:] * 2, "script[0]: the first entry"),
        ([*script(), *script()], "chronological"),
        (script((900, "a"), (100, "b")), "script[2].timestamp_ms: entries must be in chronological order"),
        ([*script()[:1], {"timestamp_ms": 5, "interact": {"prompt": "a"}}], "script[1]: the last entry"),
        (script(prompt="a" * 10_001), "script[0].start.prompt: must not be longer"),
        (script(prompt=" "), "script[0].start.prompt"),
        (script((10, 7)), "script[1].interact.prompt"),
        (script(end_ms=True), "script[1].timestamp_ms"),
        (script(end_ms=0), "at most 600 s"),
        (script(end_ms=600_001), "at most 600 s"),
        ([{"timestamp_ms": 0, "start": {"prompt": "a"}, "end": {}}, *script()[1:]], "script[0]: must have exactly one"),
        ([{"timestamp_ms": 0, "start": "a"}, *script()[1:]], "script[0].start: must be an object"),
        (["a", "b"], "script[0]: must be an object with timestamp_ms"),
        (script(image=7), "script[0].start.image: must be a data URL"),
        (script(image="data:image/png;base64,%%%"), "script[0].start.image: is no base64"),
        (script(image="data:image/png;base64,AAAA"), "script[0].start.image: is no picture"),
        (script(image=HUGE), "script[0].start.image: has more than 64 million pixels"),
    ],
)
def test_a_script_that_is_none_is_refused_with_its_place(bad, words):
    with pytest.raises(ScriptError) as caught:
        parse_script(bad)
    assert words in str(caught.value)


@pytest.mark.parametrize("body", [{}, {"script": script(), "scripts": [script()]}, {"script": None}])
def test_exactly_one_source_of_scripts_is_needed(body):
    with pytest.raises(ScriptError, match="Exactly one of script, scripts, or script_url must be provided"):
        parse_scripts(body)


def test_a_bad_script_among_several_is_named():
    refused({"scripts": [script(), script()[:1]]}, "scripts[1]: must be a list")


def test_bodies_that_are_no_objects_and_rights_that_one_has_not_are_refused():
    async def run():
        async with desk() as server:
            bodies = ([1], {"script": script(), "portrait": "yes"})
            wrong = [await server.ask("POST", "/simulation-jobs", body) for body in bodies]
            broken = await server.ask("POST", "/simulation-jobs", raw="{")
            bypass = await server.ask("POST", "/simulation-jobs", {"script": script(), "bypass_vlm_expansion": True})
            return [status for status, _ in (*wrong, broken, bypass)]

    assert asyncio.run(run()) == [422, 422, 422, 403]


@asynccontextmanager
async def library(**files):
    """A server that has texts lying about."""

    async def get(request):
        return web.Response(text=files[request.match_info["name"]])

    app = web.Application()
    app.router.add_get("/{name}", get)
    async with TestServer(app) as server:
        yield server


def test_a_script_may_lie_at_an_address(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    texts = {
        "one": json.dumps(script(end_ms=200)),
        "two": json.dumps([script(end_ms=100), script(end_ms=100)]),
        "named": json.dumps({"scripts": [script(end_ms=100)]}),
    }

    async def run():
        async with library(**texts) as shelf, desk() as server:
            jobs = [await server.film({"script_url": str(shelf.make_url(name))}) for name in texts]
            return [[stream["frame_count"] for stream in job["streams"]] for job in jobs]

    assert asyncio.run(run()) == [[2], [1, 1], [1]]


def test_an_address_without_a_script_is_refused_clearly():
    texts = {"text": "not json", "number": "7", "script": json.dumps(script()[1:])}
    said = {
        "text": "what lies there is no JSON",
        "number": "what lies there is no script",
        "script": "script: must be a list",
        "missing": "the server there answered 500",
    }

    async def run():
        async with library(**texts) as shelf, desk() as server:
            urls = {name: str(shelf.make_url(name)) for name in said}
            return {name: await server.ask("POST", "/simulation-jobs", {"script_url": urls[name]}) for name in said}

    answers = asyncio.run(run())
    assert {status for status, _ in answers.values()} == {400}
    assert all(said[name] in answers[name][1]["detail"] for name in said)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "nonsense", "", 7, "http://"])
def test_only_http_addresses_are_fetched(url):
    refused({"script_url": url}, "script_url: must be an address that begins with http:// or https://")


def test_an_address_where_nobody_answers_is_refused():
    refused({"script_url": "http://127.0.0.1:9/script.json"}, "script_url: cannot be fetched")


def test_a_script_at_an_address_may_not_be_endless(monkeypatch):
    monkeypatch.setattr("adversarl_odyssey.emulator.scripts.MOST_BYTES", 1 << 20)

    async def run():
        async with library(long=" " * (2 << 20)) as shelf, desk() as server:
            return await server.ask("POST", "/simulation-jobs", {"script_url": str(shelf.make_url("long"))})

    assert asyncio.run(run()) == (400, {"detail": "script_url: must not be larger than 1 MB"})


def test_addresses_are_signed_and_expire():
    async def run():
        async with desk() as server:
            job = await server.submit({"script": script(end_ms=100)})
            url = (await server.until(job, "completed"))["streams"][0]["video_url"]
            other = url.replace("video.mp4", "events.json")
            tried = [await server.fetch(address) for address in (url, other, url[:-2], url.split("?")[0])]
            part = await server.fetch(url, headers={"Range": "bytes=4-7"})
            server.offline.archive.url_s = -1.0
            late = await server.fetch((await server.status(job))["streams"][0]["video_url"])
            return [status for status, _ in (*tried, late)], part

    statuses, part = asyncio.run(run())
    assert statuses == [200, 403, 403, 403, 403]
    assert part == (206, b"ftyp")


def test_old_films_are_deleted_when_there_are_too_many():
    async def run():
        async with desk(archive=Archive(keep_bytes=1)) as server:
            first = await server.submit({"script": script(end_ms=100)})
            url = (await server.until(first, "completed"))["streams"][0]["video_url"]
            await server.film({"script": script(end_ms=100)})
            return await server.fetch(url), (await server.status(first))["streams"][0]

    (status, _), stream = asyncio.run(run())
    assert status == 404
    assert stream["video_url"] is None
    assert stream["frame_count"] == 1


def test_closing_in_the_middle_leaves_no_files_and_no_stages():
    async def run():
        async with desk() as server:
            server.studio.gate.clear()
            job = await server.submit({"script": script()})
            await server.until(job, "processing")
            root = server.offline.archive.folder("other").parent
            assert root.is_dir()
            await server.offline.close()
            return root, server.offline.jobs.get(job["job_id"]).status, len(asyncio.all_tasks())

    root, status, _ = asyncio.run(run())
    assert not root.exists()
    assert status == "cancelled"


@pytest.mark.parametrize("codec", [find_codec(), "mpeg4"])
def test_every_encoder_keeps_pictures_and_times(tmp_path, codec):
    ramp = np.zeros((65, 97, 3), np.uint8) + np.linspace(0, 250, 97, dtype=np.uint8)[None, :, None]
    film = Film(tmp_path, 30.0, codec)
    times = [0.5, 0.55, 0.55, 0.7, 1.3]
    for time_s in times:
        film.add(ramp, time_s)
    facts = film.close()
    shown, at = pictures((tmp_path / "video.mp4").read_bytes())
    assert shown.shape == (4, 64, 96, 3)
    assert np.abs(shown.astype(int) - ramp[:64, :96]).mean() < 6
    assert at == pytest.approx([0.0, 0.05, 0.2, 0.8], abs=1e-3)
    assert (facts.frame_count, facts.height, facts.width) == (4, 64, 96)
    assert facts.duration_s == pytest.approx(0.8 + 1 / 30, abs=1e-3)


def test_a_film_of_nothing_has_events_only(tmp_path):
    film = Film(tmp_path, 10.0)
    film.note(0.0, "start", "nothing")
    assert film.close().frame_count == 0
    film.abandon()
    assert [path.name for path in tmp_path.iterdir()] == ["events.json"]


def test_a_picture_of_another_size_is_refused(tmp_path):
    film = Film(tmp_path, 10.0)
    film.add(np.zeros((16, 16, 3), np.uint8), 0.0)
    with pytest.raises(ValueError, match="another size"):
        film.add(np.zeros((16, 18, 3), np.uint8), 0.1)
    film.abandon()


async def finished(client, job):
    async with asyncio.timeout(WAIT_S):
        while (detail := await client.get_simulate_status(job.job_id)).status.value not in ("completed", "failed"):
            await asyncio.sleep(0.05)
    return detail


async def download(detail):
    async with ClientSession() as session, session.get(detail.streams[0].video_url) as response:
        return pictures(await response.read())[0]


def test_a_client_has_films_made_of_the_world_that_obeys(emulator):
    async def run():
        client = Odyssey(emulator.key, api_url=emulator.url)
        detail = await finished(
            client, await client.simulate(script=script((500, "turn the lights off")), portrait=False)
        )
        with pytest.raises(ConnectionError, match="400"):
            await client.simulate(script=script()[:1])
        with pytest.raises(ValueError, match="that is completed cannot be cancelled"):
            await client.cancel_simulation(detail.job_id)
        with pytest.raises(ValueError, match="job"):
            await client.cancel_simulation("job_unknown")
        listed = await client.list_simulations(active=False, limit=1)
        await client.disconnect()
        return detail, listed, await download(detail)

    detail, listed, shown = asyncio.run(run())
    assert detail.status.value == "completed", detail
    assert shown.shape == (10, 96, 160, 3)
    light = shown.mean(axis=(1, 2, 3))
    assert light[6:].max() < light[:5].min() - 10
    assert [one.job_id for one in listed.jobs] == [detail.job_id]


def test_equal_scripts_give_equal_films_and_a_fault_none(emulator):
    said = script((200, "dim the lights"), end_ms=500)

    async def run():
        client = Odyssey(emulator.key, api_url=emulator.url)
        films = [await finished(client, await client.simulate(script=said)) for _ in range(2)]
        emulator.faults.switch("fail-jobs=1")
        failed = await finished(client, await client.simulate(script=said))
        await client.disconnect()
        return [await download(film) for film in films], failed

    (first, second), failed = asyncio.run(run())
    assert np.array_equal(first, second)
    assert (failed.status.value, failed.streams) == ("failed", [])
    assert failed.error_message == "The emulator was told to fail this job"
