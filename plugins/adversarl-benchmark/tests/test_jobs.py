import os
import signal
import sys
import time

import pytest
from adversarl_benchmark import jobs as module
from adversarl_benchmark.jobs import Job, run_jobs

from adversarl.errors import AdversarlError


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Makes jobs that run `python -c CODE` under the real wrapper's rules, with a file as their result."""
    started = []
    original = module.subprocess.Popen

    def popen(words, **options):
        started.append(words)
        return original([sys.executable, "-c", words[4]], **options)

    monkeypatch.setattr(module.subprocess, "Popen", popen)

    def make(name, code=None, needs=()):
        result = tmp_path / name
        lines = code or f"open({str(result)!r}, 'w').close()"
        return Job(name, lambda: [lines], tmp_path / "logs" / f"{name}.log", result.exists, needs)

    make.started = started
    return make


def never():
    return False


def silent(running, done, total):
    del running, done, total


def test_what_is_done_is_not_done_again(job, tmp_path):
    (tmp_path / "a").touch()
    assert run_jobs([job("a"), job("b")], 2, silent, never)
    assert len(job.started) == 1


def test_a_job_waits_for_what_it_needs(job, tmp_path):
    second = job(
        "b", f"assert open({str(tmp_path / 'a')!r}).close() is None; open({str(tmp_path / 'b')!r}, 'w')", ("a",)
    )
    assert run_jobs([second, job("a")], 4, silent, never)


def test_a_failure_stops_what_needs_it_and_nothing_else(job, tmp_path):
    broken = job("broken", "raise SystemExit('no such recipe')")
    with pytest.raises(AdversarlError) as error:
        run_jobs([broken, job("after", needs=("broken",)), job("other")], 1, silent, never)
    assert (tmp_path / "other").exists()
    assert not (tmp_path / "after").exists()
    assert "broken failed" in str(error.value)
    assert "no such recipe" in str(error.value)
    assert "1 jobs that need them were not begun" in str(error.value)


def test_a_job_that_leaves_no_result_has_failed(job):
    with pytest.raises(AdversarlError, match="liar failed"):
        run_jobs([job("liar", "pass")], 1, silent, never)


def test_no_more_run_at_once_than_asked_for(job, tmp_path):
    code = "import time; time.sleep(0.5); open({!r}, 'w')"
    most = []
    jobs = [job(name, code.format(str(tmp_path / name))) for name in "abc"]
    assert run_jobs(jobs, 2, lambda running, done, total: most.append(len(running)), never)
    assert max(most) == 2


def test_a_stop_asks_what_runs_to_save_and_begins_nothing(job, tmp_path):
    saves = (
        "import signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(tmp_path / 'saved')!r}, 'w').close(), sys.exit(2)))\n"
        f"open({str(tmp_path / 'ready')!r}, 'w').close()\n"
        "time.sleep(60)"
    )
    ready = (tmp_path / "ready").exists
    assert not run_jobs([job("long", saves), job("next", needs=("long",))], 1, silent, ready)
    assert (tmp_path / "saved").exists()
    assert len(job.started) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a process that its parent died")
def test_a_child_gets_sigterm_when_its_parent_is_killed(tmp_path):
    import subprocess

    told = tmp_path / "told"
    child = (
        "import os, signal, sys, time\n"
        "from adversarl_benchmark.child import end_with_parent\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(told)!r}, 'w').close(), os._exit(0)))\n"
        "end_with_parent(int(sys.argv[1]))\n"
        f"open({str(tmp_path / 'ready')!r}, 'w').close()\n"
        "time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}, str(os.getpid())], start_new_session=True)\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    _wait((tmp_path / "ready").exists)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _wait(told.exists)


def _wait(there):
    until = time.monotonic() + 30
    while not there():
        assert time.monotonic() < until
        time.sleep(0.01)
