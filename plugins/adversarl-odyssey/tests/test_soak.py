import json
import threading

import numpy as np
import pytest
from adversarl_odyssey import soak as soaks
from adversarl_odyssey.bench_tables import heading, line, verdict
from adversarl_odyssey.emulator.faults import FAULTS
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.measure.player import Ledger, Player
from adversarl_odyssey.measure.resources import usage
from adversarl_odyssey.measure.served import Served
from adversarl_odyssey.measure.verdict import COMPARED, FEWEST_S, report

from adversarl.testing.fakes import make_world

REST = dict.fromkeys(COMPARED.values(), 4) | {"seconds": 0.0, "renewals": 0}


def played(**more):
    return Ledger(begun=9, finished=7, stopped=2, **more)


def ends(**more):
    last = {**REST, "seconds": FEWEST_S, **more}
    rows = [{key: REST[key] + (last[key] - REST[key]) * k / 20 for key in REST} for k in range(21)]
    return report(rows, [REST, last], {"odyssey-hybrid": played()})["problems"]


def test_nothing_that_is_left_is_no_problem():
    assert ends() == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"sessions": 5}, "sessions: 4 at the first rest, 5 at the last"),
        ({"server_tasks": 5}, "tasks of the emulator"),
        ({"tasks": 5}, "tasks of streams"),
        ({"threads": 6}, "threads"),
        ({"fds": 8}, "open files"),
        ({"rss_mb": 204.0}, "memory of this process: +200 MB"),
        ({"server_rss_mb": 204.0}, "memory of emulator"),
    ],
)
def test_what_is_left_at_the_end_is_a_leak(more, told):
    assert [problem for problem in ends(**more) if told in problem]


@pytest.mark.parametrize(
    ("ledger", "told"),
    [
        (Ledger(begun=9, finished=7, stopped=1), "1 episodes are lost"),
        (played(cut=2), "2 episodes were cut short"),
        (played(failures=["TimeoutError: late", "TimeoutError: late"]), "TimeoutError: late (2 times)"),
        (Ledger(), "no episode ended"),
    ],
)
def test_an_episode_that_is_lost_is_told(ledger, told):
    problems = report([REST, REST], [REST, REST], {"odyssey": ledger})["problems"]
    assert [problem for problem in problems if told in problem]


def test_memory_of_a_short_soak_is_not_judged():
    last = {**REST, "seconds": 10.0, "rss_mb": 900.0}
    found = report([REST, last], [REST, last], {"odyssey": played()})
    assert (found["problems"], found["memory_judged"]) == ([], False)


def test_every_fault_of_the_emulator_has_its_turn():
    assert {setting.partition("=")[0] for switches in soaks.KINDS.values() for setting in switches} == FAULTS.keys()


class Disturbed:
    """A world, an event that ends the playing after some steps, and perhaps an error in the middle."""

    def __init__(self, error=None, steps=30):
        self.world, self.stop, self.error, self.left = make_world(num_envs=2), threading.Event(), error, steps
        self.step, self.world.step = self.world.step, self._step
        self.ledger = Ledger()

    def _step(self, actions):
        self.left -= 1
        if self.left == 0:
            self.stop.set()
            if self.error is not None:
                raise self.error
        return self.step(actions)

    def play(self, refusable=False):
        player = Player(self.world, self.ledger, ["shift 40 %"], np.random.default_rng(0), 0.0, renews=False)
        player.play(self.stop, lambda: refusable)
        self.world.close()
        return self.ledger


def test_every_episode_that_was_begun_is_accounted_for():
    ledger = Disturbed(steps=200).play()
    assert ledger.finished > 0
    assert (ledger.begun, ledger.lost) == (ledger.finished + ledger.stopped, 0)
    assert ledger.failures == []


def test_a_refusal_ends_the_playing_where_it_may():
    ledger = Disturbed(OdysseyError("the account is suspended", "Ask.")).play(refusable=True)
    assert (ledger.refusals, ledger.stopped, ledger.failures) == (1, 2, [])


@pytest.mark.parametrize("error", [OdysseyError("no picture", "Look."), ValueError("a bug")])
def test_any_other_error_is_a_failure(error):
    ledger = Disturbed(error).play()
    assert (ledger.refusals, len(ledger.failures)) == (0, 1)


def test_a_process_says_what_it_holds():
    mine = usage()
    assert mine.rss_mb > 10
    assert min(mine.threads, mine.fds) >= 1
    with pytest.raises(OdysseyError, match="/proc"):
        usage(2**22 + 1)


def test_worlds_play_through_faults_that_are_switched_over_http(monkeypatch, capsys):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(
        soaks, "KINDS", {name: soaks.KINDS[name] for name in ("drop-connection", "suspended", "fail-jobs")}
    )
    monkeypatch.setattr(soaks, "WORLDS", ("odyssey-hybrid",))
    monkeypatch.setattr(soaks, "SETTLE_S", 1.0)
    lines = []
    settings = soaks.SoakSettings(seconds=9.0, fault_s=2.0, line_s=1.0, size=(160, 96), client="thin")
    found = soaks.soak(settings, lines.append)
    assert found["problems"] == []
    assert found["episodes"]["lost"] == 0
    assert found["episodes"]["finished"] > 0
    assert {"drop-connection", ""} <= {row["fault"] for row in lines}
    json.dumps(found)
    assert [len(line(row)) for row in lines] == [len(heading())] * len(lines)
    verdict(found)
    assert "no leak, no lost episode" in capsys.readouterr().out


def test_an_emulator_that_cannot_start_says_why(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(OdysseyError, match="no fault 'frost'"), Served((160, 96), options=("--fault", "frost")):
        pass
