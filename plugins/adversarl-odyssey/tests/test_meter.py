import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from adversarl_odyssey.meter import FILE, Meter, read


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_open_and_ended_streams_cost_their_time(clock):
    meter = Meter(clock=clock)
    first, _ = meter.begin(2.0), meter.begin(1.0)
    clock.now += 1800
    meter.end(first, "closed")
    clock.now += 1800
    assert meter.cost_usd == pytest.approx(1.0 + 1.0)
    assert meter.stream_s == pytest.approx(1800 + 3600)
    assert meter.open_streams == 1
    assert meter.scalars()["odyssey/cost_usd"] == pytest.approx(2.0)


def test_what_was_paid_beside_streams_counts_too(tmp_path, clock):
    meter = Meter(tmp_path, clock=clock)
    meter.book(2.0, 1800, "video")
    assert (meter.cost_usd, meter.stream_s, meter.open_streams) == (1.0, 1800, 0)
    assert read(tmp_path / FILE) == (1800, 1.0)


def test_a_stream_ends_only_once(clock):
    meter = Meter(clock=clock)
    entry = meter.begin(2.0)
    clock.now += 1800
    meter.end(entry, "closed")
    meter.end(entry, "again")
    assert meter.cost_usd == pytest.approx(1.0)
    assert entry.why == "closed"


def test_what_was_spent_before_there_was_a_folder_is_written_too(tmp_path, clock):
    meter = Meter(clock=clock)
    ended, _ = meter.begin(2.0), meter.begin(2.0)
    clock.now += 900
    meter.end(ended, "closed")
    meter.attach(tmp_path)
    assert read(tmp_path / FILE) == (1800.0, pytest.approx(1.0))
    assert meter.cost_usd == pytest.approx(1.0)


def test_a_resumed_run_counts_what_was_spent_before(tmp_path, clock):
    first = Meter(tmp_path, clock)
    first.begin(3600.0)
    clock.now += 2
    first.write()
    clock.now += 3
    first.write()
    second = Meter(tmp_path, clock)
    assert second.cost_usd == pytest.approx(5.0)
    second.end(second.begin(3600.0), "closed")
    assert Meter(tmp_path, clock).cost_usd == pytest.approx(5.0)


def test_a_line_that_a_crash_cut_off_costs_only_itself(tmp_path, clock):
    meter = Meter(tmp_path, clock)
    meter.begin(3600.0)
    clock.now += 2
    meter.write()
    with (tmp_path / FILE).open("a") as file:
        file.write('{"event": "runs", "key": "x-1", "sec')
    meter = Meter(tmp_path, clock)
    assert meter.cost_usd == pytest.approx(2.0)
    entry = meter.begin(3600.0)
    clock.now += 1
    meter.end(entry, "closed")
    assert Meter(tmp_path, clock).cost_usd == pytest.approx(3.0)


def test_lines_that_are_no_rows_do_not_count(tmp_path):
    (tmp_path / FILE).write_text('[]\n7\nnull\n{"key": "a"}\n{"key": ["a"], "seconds": 1, "usd": 1}\n\x00\xff\n')
    assert Meter(tmp_path).cost_usd == 0.0


def test_a_budget_that_is_spent_says_so(clock):
    meter = Meter(clock=clock)
    meter.begin(2.0)
    assert meter.exhausted(1.0) == ""
    clock.now += 1800
    assert meter.exhausted(1.0) == "Odyssey's streams have cost 1 USD (0.5 h), and max_cost_usd is 1"
    assert meter.exhausted(1.01) == ""


def test_the_journal_names_streams_and_why_they_ended(tmp_path, clock):
    meter = Meter(tmp_path, clock)
    entry = meter.begin(2.0)
    entry.stream = "stream-7"
    clock.now += 1.5
    meter.end(entry, "closed")
    row = json.loads((tmp_path / FILE).read_text())
    assert (row["event"], row["stream"], row["seconds"], row["why"]) == ("ended", "stream-7", 1.5, "closed")


def test_a_journal_that_cannot_be_written_warns_and_goes_on(tmp_path, clock, caplog):
    meter = Meter(tmp_path / "gone", clock)
    meter.end(meter.begin(2.0), "closed")
    assert "will not know all that was spent" in caplog.text


def test_a_killed_process_leaves_what_it_had_written(tmp_path):
    script = f"""
        import sys, time
        from pathlib import Path
        from adversarl_odyssey.meter import Meter
        meter = Meter(Path({str(tmp_path)!r}))
        meter.begin(3600.0)
        time.sleep(0.3)
        meter.write()
        print("written", flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == b"written\n"
        os.kill(process.pid, signal.SIGKILL)
    assert Meter(tmp_path).cost_usd > 0.25
