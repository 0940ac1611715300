import contextlib
import os
import re
import signal
import subprocess
import sys
import threading

import pytest
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.serve_command import serve


class Served:
    """``adversarl odyssey serve`` as a process."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "adversarl", "odyssey", "serve", "--port", "0", "--size", "160x96", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines, self._news = [], threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()

    def line(self, pattern):
        """The first line that a pattern is found in."""
        with self._news:
            self._news.wait_for(lambda: any(re.search(pattern, line) for line in self.lines), timeout=60)
            found = [match for line in self.lines if (match := re.search(pattern, line))]
        assert found, self.lines
        return found[0]

    @property
    def text(self):
        return "\n".join(self.lines)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=10)
        return code


@pytest.fixture
def served(emulator):
    processes = []

    def start(*arguments):
        processes.append(Served(*arguments))
        return processes[-1]

    yield start
    for one in processes:
        with contextlib.suppress(ProcessLookupError):
            one.process.kill()
        one.wait()
        one.process.stdout.close()


class At:
    def __init__(self, url, key):
        self.url, self.key = url, key


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_its_first_lines_say_how_to_use_it_and_a_signal_ends_it_in_the_middle_of_a_stream(served, converse, number):
    one = served("--fps", "10")
    url = one.line(r"^export ODYSSEY_API_URL=(http://127\.0\.0\.1:\d+)$")[1]
    key = one.line(r"^export ODYSSEY_API_KEY=(ody_[0-9a-f]{32})$")[1]
    one.line(f"^Key: {key}$")
    one.line("EMULATOR")

    async def script(client):
        await client.connect()
        await client.start("a robot")
        await client.picture()
        one.line(r"^ses_\w+: stream str_\w+ starts: 'a robot'$")
        os.kill(one.process.pid, number)
        await client.until(lambda: client.socket.closed)

    converse(script, At(url, key))
    assert one.wait() == 0
    one.line("^The emulator ends")
    one.line(r"ended after [\d.]+ s, [\d.]+ pictures/s")
    assert "Traceback" not in one.text


def test_a_key_that_is_given_is_the_one_and_is_not_shown(served, converse):
    one = served("--key", "ody_secret", "--fault", "busy=1", "--max-streams", "1")
    url = one.line(r"^export ODYSSEY_API_URL=(\S+)$")[1]
    one.line("^Faults: busy=1$")

    async def script(client):
        return [(await client.post("/sessions/request", {}))[0] for _ in range(3)]

    assert converse(script, At(url, "ody_secret")) == [503, 200, 503]
    assert converse(script, At(url, "ody_other")) == [401, 401, 401]
    assert one.end() == 0
    assert "ody_secret" not in one.text


def test_it_warns_where_others_can_reach_it(served):
    one = served("--host", "0.0.0.0")
    one.line("^WARNING: .* without encryption")
    assert one.end() == 0


def test_an_error_is_a_panel(served):
    one = served("--size", "161x96")
    assert one.wait() == 2
    assert "--size cannot be '161x96'" in one.text
    assert "Traceback" not in one.text


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"size": "big"}, "--size cannot be 'big'. Write WIDTHxHEIGHT with even numbers"),
        ({"key": ""}, "--key: String should have at least 1 character"),
        ({"key": "x" * 513}, "--key: String should have at most 512 characters"),
        ({"max_stream": float("nan")}, "--max-stream: Input should be greater than or equal to 0"),
        ({"fault": ["lates"]}, "no fault 'lates'"),
        ({"fault": ["busy"]}, "Write busy=3"),
        ({"task": "pik"}, "no task 'pik'. Did you mean 'pick'?"),
        ({"host": "203.0.113.7"}, "cannot listen on 203.0.113.7:0: Cannot assign requested address. Choose another"),
    ],
)
def test_what_makes_no_sense_is_named(emulator, options, problem):
    with pytest.raises(OdysseyError) as error:
        serve(**{"port": 0, "size": "160x96", **options})
    assert problem in str(error.value)
