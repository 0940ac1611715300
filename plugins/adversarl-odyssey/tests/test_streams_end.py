import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from adversarl_odyssey import account
from adversarl_odyssey.live import LiveSource
from adversarl_odyssey.meter import FILE, Meter
from adversarl_odyssey.options import ServiceOptions
from live_sources import until

OPEN = """
    import sys
    from pathlib import Path
    from adversarl_odyssey import account
    account.WRITE_EVERY_S = 0.3
    from adversarl_odyssey.live import LiveSource
    from adversarl_odyssey.options import ServiceOptions

    options = ServiceOptions(num_envs=2, client="thin")
    source = LiveSource(options, 2, 48)
    source.connect(print, Path(sys.argv[1]))
    for env in range(2):
        source.begin(env, options.scene, restart=True)
    for env in range(2):
        source.show(env, fresh=True)
    print("open", flush=True)
"""


@pytest.fixture
def play(emulator, tmp_path):
    """``play(rest)`` runs a process that opens two streams and then does the rest; gives it once they are open."""
    processes = []

    def start(rest):
        script = textwrap.dedent(OPEN) + textwrap.dedent(rest)
        command = [sys.executable, "-W", "error", "-c", script, str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "open\n", process.stderr.read()
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def rows(folder):
    journal = folder / FILE
    return [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []


def ended(folder):
    return {row["key"]: row["why"] for row in rows(folder) if row["event"] == "ended"}


def nothing_open(emulator):
    return until(lambda: not any(emulator.stats()[name] for name in ("sessions", "streams", "connections")))


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        ("", ""),
        ("raise ValueError('of the user')", "ValueError: of the user"),
        ("source.close(); sys.exit()", ""),
        ("source.begin(0, options.scene, restart=True); source.prompt(0, 'It is dark.')", ""),
    ],
)
def test_streams_end_with_the_process(play, emulator, tmp_path, rest, error):
    process = play(rest)
    _, errors = process.communicate(timeout=60)
    assert errors.strip().endswith(error) if error else errors == ""
    assert emulator.stats()["sessions"] == 0
    assert len(ended(tmp_path)) >= 2
    assert {row["key"] for row in rows(tmp_path) if row["event"] == "runs"} <= ended(tmp_path).keys()


def test_ctrl_c_in_the_middle_of_waiting_ends_the_streams(play, emulator, tmp_path):
    process = play("while True: source.show(0, fresh=True)")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.strip().endswith("KeyboardInterrupt")
    assert emulator.stats()["sessions"] == 0
    assert len(ended(tmp_path)) == 2


def test_ctrl_c_again_and_again_while_streams_end_lets_them_end(play, open_emulator, monkeypatch, tmp_path):
    server = open_emulator(linger_s=600)  # sessions of clients that leave without goodbye go on counting
    monkeypatch.setenv("ODYSSEY_API_URL", server.url)
    monkeypatch.setenv("ODYSSEY_API_KEY", server.key)
    process = play("print('closing', flush=True); source.close()")
    server.faults.switch("malformed=1000")  # so that the end is not acknowledged at once
    assert process.stdout.readline() == "closing\n"
    for _ in range(2):
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert server.stats()["sessions"] == 0
    assert len(ended(tmp_path)) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_service_ends_the_streams_of_a_process_that_is_killed_and_most_of_their_cost_is_known(
    play, emulator, tmp_path, number
):
    process = play("while True: source.show(0, fresh=True)")
    assert until(lambda: len(rows(tmp_path)) >= 2)
    os.kill(process.pid, number)
    process.communicate(timeout=60)
    assert nothing_open(emulator)
    assert Meter(tmp_path).cost_usd > 0
    assert not ended(tmp_path)


def test_no_thread_session_or_file_is_left_after_close(emulator):
    before = None
    for _ in range(3):
        source = LiveSource(ServiceOptions(num_envs=2, client="thin"), 2, 48)
        for env in range(2):
            source.begin(env, "A table.", restart=True)
        source.show(0, fresh=True)
        source.close()
        assert nothing_open(emulator)
        assert not [thread for thread in threading.enumerate() if thread.name == "adversarl-odyssey"]
        assert not account._loops
        gc.collect()
        before = before or len(os.listdir("/dev/fd"))
    assert until(lambda: len(os.listdir("/dev/fd")) <= before)


@pytest.mark.parametrize("fault", ["busy=1000", "late-frames=60", "lease-denied=1000", "drop-connection=0.4"])
def test_closing_in_the_middle_of_trouble_leaves_nothing(emulator, fault):
    emulator.faults.switch(fault)
    source = LiveSource(ServiceOptions(num_envs=2, client="thin"), 2, 48)
    for env in range(2):
        source.begin(env, "A table.", restart=True)
    time.sleep(0.6)
    source.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "adversarl-odyssey"]
    assert nothing_open(emulator)
    assert source.meter.open_streams == 0


def test_closing_one_world_leaves_the_streams_of_another(emulator):
    first = LiveSource(ServiceOptions(num_envs=1, client="thin"), 1, 48)
    second = LiveSource(ServiceOptions(num_envs=1, client="thin"), 1, 48)
    try:
        for source in (first, second):
            source.begin(0, "A table.", restart=True)
            source.show(0, fresh=True)
        first.close()
        second.show(0, fresh=True)
        assert emulator.stats()["sessions"] == 1
    finally:
        first.close()
        second.close()
    assert nothing_open(emulator)
