import asyncio
import os
import sys
from pathlib import Path

os.environ.setdefault("MUJOCO_GL", "egl")
sys.path.insert(0, str(Path(__file__).parent))

import pytest
from adversarl_odyssey.emulator.options import EmulatorOptions
from adversarl_odyssey.emulator.server import ServerThread
from raw_client import RawClient

from adversarl.errors import NoGL


@pytest.fixture(scope="session")
def _emulator():
    try:
        # Sessions that a test asked for and never used must not take the streamers from the next one.
        server = ServerThread(EmulatorOptions(size=(96, 160), fps=10, claim_s=3)).start()
    except NoGL as error:
        pytest.skip(str(error))
    yield server
    server.close()


@pytest.fixture
def emulator(_emulator, monkeypatch):
    """A running emulator, shared by all tests: `.url`, `.key`, `.faults` (off again after the test), `.stats()`."""
    monkeypatch.setenv("ODYSSEY_API_URL", _emulator.url)
    monkeypatch.setenv("ODYSSEY_API_KEY", _emulator.key)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield _emulator
    _emulator.faults.clear()


@pytest.fixture(scope="module")
def hurried(_emulator):
    """Jobs of `emulator` are begun as soon as they are there."""
    jobs = _emulator.running.emulator.offline.jobs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_dispatch_s", 0.02)
        patch.setattr(jobs, "_start_s", 0.02)
        yield


@pytest.fixture
def open_emulator(_emulator):
    """``open_emulator(**options)`` starts an emulator of the test's own."""
    servers = []

    def start(**options):
        chosen = {"size": (96, 160), "fps": 10, **options}
        servers.append(ServerThread(EmulatorOptions(**chosen)).start())
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def converse(emulator):
    """``converse(script, server)`` runs ``async def script(client)`` with a raw client that is signed in."""

    def run(script, server=None):
        async def talk():
            async with RawClient(server or emulator) as client:
                return await script(client)

        return asyncio.run(talk())

    return run


@pytest.fixture
def stream(converse):
    """Like `converse`, with a client that is connected already."""

    def run(script, server=None):
        async def talk(client):
            await client.connect()
            return await script(client)

        return converse(talk, server)

    return run
