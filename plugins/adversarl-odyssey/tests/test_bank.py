import asyncio
import json
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from adversarl_odyssey.bank.download import Gone, download
from adversarl_odyssey.bank.filling import Filling
from adversarl_odyssey.bank.films import BadVideo, examine, pictures, to_and_fro
from adversarl_odyssey.bank.store import Bank, Script
from adversarl_odyssey.emulator.jobs import MOST_QUEUED
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.goal_pictures import goal_video
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.pure_options import OdysseyOptions
from aiohttp import web
from answers_server import serving

SCENE = "A wooden table in a bright room."


@pytest.fixture
def bank(tmp_path):
    return Bank(tmp_path / "bank")


@pytest.fixture
def fill(emulator, hurried, bank):
    """Fills the bank with scripts; ``on_change(entry)`` sees every change."""

    def run(scripts, on_change=lambda entry: None, **options):
        async def work():
            service = ServiceOptions(**{"client": "thin", "retries": 1, **options})
            filling = Filling(bank, service, poll_s=0.1, max_queued=MOST_QUEUED + 2, on_change=on_change)
            await filling.run([bank.add(script) for script in scripts])

        with bank.locked():
            asyncio.run(work())
        return [bank.entries[script.hash] for script in scripts]

    return run


def test_a_script_is_what_the_service_takes():
    script = Script(SCENE, 4.0, "The robot picks up the cube.")
    assert script.entries() == [
        {"timestamp_ms": 0, "start": {"prompt": SCENE}},
        {"timestamp_ms": 1000, "interact": {"prompt": "The robot picks up the cube."}},
        {"timestamp_ms": 4000, "end": {}},
    ]


def test_a_hash_depends_on_all_that_is_seen_and_on_nothing_else():
    script = Script(SCENE, 4.0)
    others = [
        replace(script, prompt="Else."),
        replace(script, seconds=5.0),
        replace(script, then="Go."),
        replace(script, portrait=True),
    ]
    assert len({one.hash for one in (script, *others)}) == 5
    assert script.hash == Script(SCENE, 4).hash
    assert script.hash == "e13c65d7280ef5dd29c41e79c662d8f0d04a9fbebf0beb4b14d708a270edee23"


def test_a_bank_remembers_what_it_was_told(bank):
    with bank.locked():
        bank.levels = (0.5, 1.0)
        entry = bank.add(Script(SCENE))
        bank.put(replace(entry, status="running", job_id="job_1", attempts=1))
    again = Bank(bank.folder)
    assert again.entries == bank.entries
    assert again.levels == (0.5, 1.0)
    assert again.find(SCENE) is None


def test_two_processes_never_change_one_bank(bank):
    with (
        bank.locked(),
        pytest.raises(OdysseyError, match=f"in use by process {os.getpid()}"),
        Bank(bank.folder).locked(),
    ):
        pass


@pytest.mark.parametrize("text", ["{", '{"version": 9, "levels": [], "videos": {}}', '{"version": 1}', "[]"])
def test_a_damaged_manifest_is_named(bank, text):
    bank.folder.mkdir()
    (bank.folder / "manifest.json").write_text(text)
    with pytest.raises(OdysseyError, match=r"manifest\.json cannot be read: .* make the bank again"):
        Bank(bank.folder)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OdysseyError, match=r"Not a directory\. Make room or choose another folder"),
        Bank(tmp_path / "file" / "bank").locked(),
    ):
        pass


def test_videos_come_home_whole(fill, bank):
    wide, tall = fill([Script(SCENE, 1.0), Script(SCENE, 1.0, portrait=True)])
    assert (wide.status, wide.width, wide.height, wide.frames) == ("done", 160, 96, 10)
    assert (tall.width, tall.height) == (96, 160)
    assert wide.duration_s == pytest.approx(1.0)
    assert wide.cost_usd == pytest.approx(2.0 / 3600)
    assert bank.find(SCENE) == bank.video(wide) != bank.find(SCENE, portrait=True)
    assert json.loads((bank.video(wide).parent / "script.json").read_text())["script"] == wide.script.entries()


def test_a_goal_is_no_look_of_the_scene(fill, bank):
    (entry,) = fill([Script(SCENE, 2.0, "The robot arm picks up the cube.")])
    assert bank.has(entry.script)
    assert bank.find(SCENE) is None


def test_a_video_that_was_removed_is_not_found(fill, bank):
    (entry,) = fill([Script(SCENE, 0.2)])
    assert bank.find(SCENE)
    bank.video(entry).unlink()
    assert not bank.has(entry.script)
    assert bank.find(SCENE) is None


def test_jobs_that_others_paid_for_are_brought_home_and_hold_up_nothing(fill, bank):
    """A full queue of somebody who was killed, and who wanted other videos."""
    others = [Script(f"{SCENE} {number}", 0.2) for number in range(MOST_QUEUED + 2)]
    with bank.locked():
        for script in others:
            bank.put(replace(bank.add(script), status="running", job_id=f"job_of_{script.hash[:8]}", attempts=9))
    (entry,) = fill([Script(SCENE, 0.2)])
    assert entry.status == "done"
    assert {bank.entries[script.hash].status for script in others} == {"failed"}
    assert "does not give the job out any more" in bank.entries[others[0].hash].error


@pytest.mark.parametrize(
    ("code", "message"),
    [("MONTHLY_LIMIT_REACHED", "hours of this month"), ("ACCOUNT_SUSPENDED", "suspended")],
)
def test_a_queue_that_is_closed_for_good_is_not_waited_for(bank, monkeypatch, code, message):
    refusal = {"detail": {"error": code, "message": "No more.", "action": "Pay."}}
    monkeypatch.setenv("ODYSSEY_API_KEY", "ody_any")

    async def work():
        async with serving({"POST /simulation-jobs": (429, refusal)}) as server:
            options = ServiceOptions(client="thin", api_url=server.url)
            await Filling(bank, options, poll_s=0.01, max_queued=2).run([bank.add(Script(SCENE))])

    with bank.locked(), pytest.raises(OdysseyError, match=message):
        asyncio.run(work())


def completed(name):
    """The answer of the service about a job whose video it gives out."""
    job = {"job_id": name, "status": "completed", "priority": "normal", "created_at": "now"}

    async def tell(request):
        stream = {"stream_id": "str_1", "video_url": f"http://{request.host}/video.mp4", "script_index": 0}
        return web.json_response(job | {"streams": [stream]})

    return tell


@pytest.fixture
def ask(bank, monkeypatch):
    """Fills the bank from a server with these answers; jobs of these names run there already."""

    def run(answers, *jobs):
        async def work():
            async with serving(answers) as server:
                options = ServiceOptions(client="thin", retries=2, api_url=server.url)
                await Filling(bank, options, poll_s=0.01, max_queued=2).run([])

        monkeypatch.setenv("ODYSSEY_API_KEY", "ody_any")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with bank.locked():
            for number, name in enumerate(jobs):
                script = Script(f"{SCENE} {number}")
                bank.put(replace(bank.add(script), status="running", job_id=name, attempts=9))
            asyncio.run(work())

    return run


def test_one_failure_of_the_service_is_one_disturbance_for_many_jobs(ask, bank):
    job = {"job_id": "job_1", "status": "failed", "priority": "normal", "created_at": "now", "error_message": "no"}
    ask({"GET /simulation-jobs/job_1": [(500, "out of order"), (500, "out of order"), (200, job)]}, *["job_1"] * 5)
    assert {entry.status for entry in bank.entries.values()} == {"failed"}


def test_a_download_that_never_comes_ends_it_though_all_else_is_well(ask, bank):
    running = {"job_id": "job_2", "status": "processing", "priority": "normal", "created_at": "now"}
    answers = {
        "GET /simulation-jobs/job_1": completed("job_1"),
        "GET /simulation-jobs/job_2": (200, running),
        "GET /video.mp4": (500, "later"),
    }
    with pytest.raises(OdysseyError, match="500"):
        ask(answers, "job_1", "job_2")
    assert [entry.job_id for entry in bank.entries.values()] == ["job_1", "job_2"]


@pytest.mark.parametrize("kept", [64, 4096])
def test_a_full_disk_is_named_and_leaves_what_was_known(ask, bank, kept):
    """A limit on the size of files stands for the disk: first not even the manifest can be written, then no video."""
    ask({"GET /simulation-jobs/job_0": (404, {"detail": "not found"})}, "job_0")
    known = (bank.folder / "manifest.json").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kept, limits[1]))
    try:
        with pytest.raises(OdysseyError, match="cannot be written: File too large"):
            ask({"GET /simulation-jobs/job_1": completed("job_1"), "GET /video.mp4": (200, "x" * 9999)}, "job_1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(bank.folder.rglob("*.part"))
    (entry,) = Bank(bank.folder).entries.values()
    assert entry.job_id == (None if kept == 64 else "job_1")
    assert ((bank.folder / "manifest.json").read_bytes() == known) == (kept == 64)


def test_of_two_that_want_one_goal_at_once_one_asks_for_it_and_the_other_waits(emulator, tmp_path):
    options = OdysseyOptions(client="thin", bank=str(tmp_path / "goals"), goal_prompt="The robot waves.")
    notices, bills = [], []

    def pay(seconds, why):
        bills.append((seconds, why))

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda _: goal_video(options, notices.append, pay), range(2)))
    assert found[0] == found[1]
    assert found[0].exists()
    assert sum("Asking for a video" in notice for notice in notices) == 1
    assert sum("is waited for" in notice for notice in notices) <= 1
    (entry,) = Bank(tmp_path / "goals").entries.values()
    assert entry.attempts == 1
    assert bills == [(entry.script.seconds, "goal video")]


def test_a_bank_that_is_in_use_is_waited_for_where_that_is_wanted(bank):
    told, done = threading.Event(), []

    def wait():
        with Bank(bank.folder).locked(lambda problem: told.set()):
            done.append(True)

    thread = threading.Thread(target=wait)
    with bank.locked():
        thread.start()
        assert told.wait(60)
        assert not done
    thread.join()
    assert done


def test_more_scripts_than_the_service_queues_wait_for_their_turn(fill):
    entries = fill([Script(f"{SCENE} Number {number}.", 0.2) for number in range(MOST_QUEUED + 2)])
    assert {entry.status for entry in entries} == {"done"}
    assert {entry.attempts for entry in entries} == {1}


def test_what_the_service_refuses_fails_in_its_words_and_holds_up_nothing(fill):
    bad, good = fill([Script(SCENE, 99_999.0), Script(SCENE, 0.2)], max_cost_usd=1000.0)
    assert (bad.status, good.status) == ("failed", "done")
    assert "timestamp_ms: must be above 0 and at most" in bad.error


def test_a_job_that_fails_is_asked_for_again_so_often_and_no_more(fill, converse):
    """Jobs are cancelled behind the back of the bank, which takes it for a failure."""
    seen = []

    def cancel(entry):
        seen.append(entry)
        if entry.status == "running":
            asyncio.get_running_loop().create_task(remove(entry.job_id))

    async def remove(job_id):
        import aiohttp
        from adversarl_odyssey.sdk import api_key

        url = os.environ["ODYSSEY_API_URL"]
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{url}/auth/token", json={"api_key": api_key()}) as response:
                token = (await response.json())["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with session.delete(f"{url}/simulation-jobs/{job_id}", headers=headers) as response:
                await response.read()

    (entry,) = fill([Script(SCENE, 5.0)], cancel)
    assert (entry.status, entry.attempts) == ("failed", 2)
    assert entry.error == "the job was cancelled"
    assert [one.status for one in seen].count("running") == 2


def test_retries_never_cost_more_than_the_ceiling(fill, bank):
    scripts = [Script(f"{SCENE} {number}", 0.2) for number in range(3)]
    with pytest.raises(OdysseyError, match=r"max_cost_usd = 0\.00025 does not suffice"):
        fill(scripts, max_cost_usd=0.00025)
    count = [entry.attempts for entry in Bank(bank.folder).entries.values()]
    assert count == [1, 1, 0]


def test_a_job_that_the_service_forgot_is_asked_for_again(fill, bank):
    script = Script(SCENE, 0.2)
    with bank.locked():
        bank.put(replace(bank.add(script), status="running", job_id="job_unheard_of", attempts=1))
    (entry,) = fill([script])
    assert (entry.status, entry.attempts) == ("done", 2)


def test_a_wrong_key_stops_at_once(fill, bank, monkeypatch):
    monkeypatch.setenv("ODYSSEY_API_KEY", "ody_wrong_key")
    with pytest.raises(OdysseyError, match="does not accept the key"):
        fill([Script(SCENE, 0.2)])
    assert Bank(bank.folder).entries[Script(SCENE, 0.2).hash].status == "wanted"


def test_a_service_that_is_away_is_tried_again_and_then_said_to_be_away(fill):
    with pytest.raises(OdysseyError):
        fill([Script(SCENE, 0.2)], api_url="http://127.0.0.1:9")


def test_what_is_no_video_never_takes_the_place_of_one(fill, bank):
    (entry,) = fill([Script(SCENE, 1.0)])
    whole = bank.video(entry).read_bytes()

    async def give(body, status=200):
        async def answer(request):
            del request
            return web.Response(body=body, status=status)

        async with serving({"GET /video.mp4": answer}) as server:
            return await download(f"{server.url}/video.mp4", bank, entry, 5.0)

    for body in (b"", b"no video", whole[: len(whole) // 2]):
        with pytest.raises(Gone, match="cannot be decoded"):
            asyncio.run(give(body))
    with pytest.raises(Gone, match="404"):
        asyncio.run(give(b"", 404))
    assert bank.video(entry).read_bytes() == whole
    assert not list(bank.folder.rglob("*.part"))
    assert asyncio.run(give(whole)).frames == 10


def test_a_video_that_comes_damaged_is_fetched_again_before_it_is_paid_again(bank, monkeypatch):
    job = {"job_id": "job_1", "status": "completed", "priority": "normal", "created_at": "2026-11-21T00:00:00Z"}
    script = Script(SCENE, 1.0)

    async def tell(request):
        stream = {"stream_id": "str_1", "video_url": f"http://{request.host}/video.mp4", "script_index": 0}
        return web.json_response(job | {"streams": [stream]})

    async def work():
        answers = {
            "POST /simulation-jobs": (200, job),
            "GET /simulation-jobs/job_1": tell,
            "GET /video.mp4": (200, "no video"),
        }
        async with serving(answers) as server:
            options = ServiceOptions(client="thin", retries=0, api_url=server.url)
            await Filling(bank, options, poll_s=0.01, max_queued=2).run([bank.add(script)])
            return server.count("GET /video.mp4"), server.count("POST /simulation-jobs")

    monkeypatch.setenv("ODYSSEY_API_KEY", "ody_any")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with bank.locked():
        assert asyncio.run(work()) == (3, 1)
    entry = bank.entries[script.hash]
    assert entry.status == "failed"
    assert "cannot be decoded" in entry.error


def test_a_file_that_is_no_video_says_so(tmp_path):
    (tmp_path / "video.mp4").write_text("no")
    with pytest.raises(BadVideo):
        examine(tmp_path / "video.mp4")
    with pytest.raises(OdysseyError, match="make it again"):
        pictures(tmp_path / "video.mp4", 84, 2**20)


def test_pictures_are_kept_one_for_each_control_step_and_shared(fill, bank):
    (entry,) = fill([Script(SCENE, 1.0)])
    kept = pictures(bank.video(entry), 48, 2**20)
    assert len(kept) in (19, 20)  # ten pictures a second, shown for two control steps each
    assert kept[0].shape == (48, 48, 3)
    assert pictures(bank.video(entry), 48, 2**20) is kept
    small = pictures(bank.video(entry), 24, 0)
    assert pictures(bank.video(entry), 48, 0) is not kept
    assert pictures(bank.video(entry), 24, 0) is not small


def test_a_video_runs_to_its_end_and_back():
    assert [to_and_fro(step, 3) for step in range(6)] == [0, 1, 2, 1, 0, 1]
    assert {to_and_fro(step, 1) for step in range(4)} == {0}
