"""Odyssey's own SDK, unmodified, against the emulator; skipped where it is not installed (it needs Python 3.12)."""

import asyncio
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata

import numpy as np
import pytest
from adversarl_odyssey.measure import jobs
from adversarl_odyssey.measure.change import Change
from adversarl_odyssey.measure.watch import watched
from adversarl_odyssey.sdk import find_sdk

odyssey = pytest.importorskip("odyssey") if sys.version_info >= (3, 12) else None
if not hasattr(odyssey, "Odyssey"):
    pytest.skip("Odyssey's SDK is not installed", allow_module_level=True)

SCENE = "A robot arm stands at a table in a bright room."
DARK = "The room is almost dark."
LIMIT_S = 60.0
QUICK_START_KEY = "ody_your_api_key_here"


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, LIMIT_S))


@pytest.fixture
def make(emulator):
    return lambda key=emulator.key, **more: odyssey.Odyssey(key, enable_telemetry=False, **more)


async def settled(client):
    """A call that ended leaves its sockets to the loop for a moment."""
    await asyncio.wait_for(client.disconnect(), 10)
    await asyncio.sleep(0.1)


async def gone(emulator):
    for _ in range(100):
        if not emulator.stats()["sessions"]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(emulator.stats())


def test_it_is_the_client_that_is_found(emulator):
    found = find_sdk("auto", emulator.url)
    assert (found.name, found.Odyssey) == ("sdk", odyssey.Odyssey)


def test_pictures_of_the_size_and_colours_of_the_emulator_arrive(make):
    seen = []

    async def watch():
        client = make()
        try:
            await client.connect(on_video_frame=seen.append)
            await client.start_stream(SCENE, portrait=False)
            while len(seen) < 5:
                await asyncio.sleep(0.02)
            await client.end_stream()
        finally:
            await settled(client)

    run(watch())
    assert seen[-1].data.shape == (96, 160, 3)
    assert seen[-1].data.dtype == np.uint8
    assert (seen[-1].width, seen[-1].height) == (160, 96)


def test_an_upright_stream_has_upright_pictures(make):
    seen = []

    async def watch():
        client = make()
        try:
            await client.connect(on_video_frame=seen.append)
            await client.start_stream(SCENE, portrait=True)
            while not seen or seen[-1].height < seen[-1].width:
                await asyncio.sleep(0.02)
        finally:
            await settled(client)

    run(watch())
    assert (seen[-1].width, seen[-1].height) == (96, 160)


def test_all_handlers_are_called_and_the_session_is_given_back(emulator, make):
    called = []

    def handler(name):
        return lambda *what: called.append(name)

    names = ("on_connected", "on_stream_started", "on_interact_acknowledged", "on_stream_ended", "on_disconnected")

    async def session():
        client = make()
        try:
            await client.connect(**{name: handler(name) for name in names})
            assert client.is_connected
            assert client.current_session_id
            stream = await client.start_stream(SCENE, portrait=False)
            assert stream
            await client.interact(DARK)
            assert client.last_applied_prompt
            await client.end_stream()
        finally:
            await settled(client)
        await gone(emulator)

    run(session())
    assert [name for name in names[:4] if name not in called] == []


def test_a_prompt_changes_the_picture_and_the_scene_brings_it_back(make):
    async def watch():
        async with watched(make()) as found:
            await found.start(SCENE)
            await asyncio.sleep(1)
            before = found.quiet()
            sent, _ = await found.interact(f"{SCENE} {DARK}", 10)
            seen, _ = await found.change(before, sent, 10)
            assert seen is not None
            await asyncio.sleep(1)
            dark = found.quiet()
            await found.interact(SCENE, 10)
            await asyncio.sleep(1)
            return before[-1].small.mean(), dark[-1].small.mean(), found.quiet()[-1], Change(before)

    light, dark, again, judge = run(watch())
    assert dark < light - 10
    assert not judge.seen_in(again)


def test_an_ended_stream_can_be_followed_by_another(make):
    async def both():
        client = make()
        try:
            await client.connect()
            first = await client.start_stream(SCENE)
            await client.end_stream()
            second = await client.start_stream(SCENE)
            await client.end_stream()
        finally:
            await settled(client)
        return first, second

    first, second = run(both())
    assert first != second


def test_a_stream_may_begin_with_a_picture(make):
    async def start():
        client = make()
        try:
            await client.connect()
            assert await client.start_stream(SCENE, image=np.full((60, 100, 3), 128, np.uint8), portrait=False)
        finally:
            await settled(client)

    run(start())


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("quota", "MonthlyLimitReachedError"),
        ("suspended", "AccountSuspendedError"),
        ("concurrent", "ConcurrentLimitReachedError"),
        ("rate-limit=1", "RateLimitError"),
        ("busy=99", "OdysseyConnectionError"),
        ("no-streamer=1", "OdysseyConnectionError"),
    ],
)
def test_a_refusal_is_the_sdks_own_error(emulator, make, fault, name):
    emulator.faults.switch(fault)

    async def connect():
        impatient = odyssey.AdvancedConfig(max_retries=0, queue_timeout_s=0)
        client = make(advanced=impatient)
        try:
            with pytest.raises(getattr(odyssey, name)):
                await client.connect()
        finally:
            await settled(client)

    run(connect())


def test_another_key_is_refused(make):
    async def connect():
        client = make("ody_another_key")
        try:
            with pytest.raises(odyssey.OdysseyAuthError):
                await client.connect()
        finally:
            await settled(client)

    run(connect())


def test_a_streamer_that_is_busy_twice_is_waited_for(emulator, make):
    emulator.faults.switch("busy=2")

    async def connect():
        client = make()
        try:
            await client.connect()
            return client.is_connected
        finally:
            await settled(client)

    assert run(connect())
    assert "busy" not in emulator.faults.show()


def test_the_limit_of_a_stream_is_told(emulator, make):
    emulator.faults.switch("max-stream=1")

    async def watch():
        told = asyncio.Queue()
        client = make()
        try:
            await client.connect(on_stream_error=lambda reason, message: told.put_nowait(reason))
            await client.start_stream(SCENE)
            return await told.get()
        finally:
            await settled(client)

    assert run(watch()) == "session_timeout"


def test_a_script_becomes_a_video_that_can_be_downloaded_and_decoded(make):
    async def simulate():
        client = make()
        try:
            return await jobs.simulation(client, jobs.script(SCENE, f"{SCENE} {DARK}", 2.0))
        finally:
            await settled(client)

    found = run(simulate())
    assert found["decoded"] == found["frame_count"] > 10
    assert found["size"] == [160, 96]


def test_jobs_are_listed_and_cancelled(make):
    async def listing():
        client = make()
        try:
            return await jobs.listing(client, jobs.script(SCENE, DARK, 2.0))
        finally:
            await settled(client)

    found = run(listing())
    assert (found["first"], found["second"]) == ("completed", "cancelled")
    assert found["active"] >= 1
    assert found["listed"] >= 2


def test_a_stream_that_has_ended_has_a_recording(make):
    found = run(jobs.recorded_stream(make, SCENE, 2.0))
    assert found["in_list"]
    assert found["decoded"] == found["frame_count"] > 5


def quick_start():
    """The first Python block of the SDK's own page, as it was installed; nothing of it is kept here."""
    try:
        page = metadata("odyssey").get_payload()
    except PackageNotFoundError:
        pytest.skip("the SDK is not installed as a package, so its page is not here")
    blocks = re.findall(r"```python\n(.*?)```", str(page), re.DOTALL)
    if not blocks:
        pytest.skip("the SDK's page has no Python block")
    return blocks[0]


def test_the_sdks_own_quick_start_runs_unmodified(open_emulator, tmp_path):
    program = tmp_path / "quick_start.py"
    program.write_text(quick_start(), encoding="utf-8")
    server = open_emulator(key=QUICK_START_KEY)
    settings = {"ODYSSEY_API_URL": server.url, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, program], env={**os.environ, **settings}, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Stream started: \S+$", done.stdout, re.MULTILINE), done.stdout + done.stderr
    assert re.search(r"^Frame: 96x160$", done.stdout, re.MULTILINE), done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert "Invalid" not in done.stdout
