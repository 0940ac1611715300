"""Whether a soak has leaked or lost anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from adversarl_odyssey.measure.figures import slope
from adversarl_odyssey.measure.player import Ledger

MB_PER_HOUR, MB = 60.0, 60.0
"""Growth of memory in the second half, and at rest from the first rest to the last, that together are a leak."""
FEWEST_S = 600.0
"""Shorter soaks say nothing of memory: it grows until everything has been used once [s]."""
ALL_USED = 2
"""The rest after which everything has been used once, every fault with either world; memory is compared with it."""
FILES, THREADS, POOL = 3, 1, 6
"""Files and threads that may be more at the end than at the first rest, and threads of the emulator, whose pool of as
many makes each when it is first needed."""
MEMORY = {"this process": "rss_mb", "emulator": "server_rss_mb"}
COMPARED = {
    "sessions": "sessions",
    "streams": "streams",
    "tasks of the emulator": "server_tasks",
    "tasks of streams": "tasks",
    "threads": "threads",
    "threads of the emulator": "server_threads",
    "open files": "fds",
    "open files of the emulator": "server_fds",
    "memory [MB]": "rss_mb",
    "memory of the emulator [MB]": "server_rss_mb",
}
SLACK = {"threads": THREADS, "server_threads": POOL, "fds": FILES, "server_fds": FILES}


def report(rows: list[dict[str, Any]], rests: list[dict[str, Any]], ledgers: dict[str, Ledger]) -> dict[str, Any]:
    """What was found; ``problems`` is empty where nothing leaked and no episode was lost.

    Args:
        rows: The lines.
        rests: What there was at rest, the first one after everything had been used once.
        ledgers: Accounts of episodes by the name of the world.
    """
    times = [row["seconds"] for row in rows]
    half = [number for number, time_s in enumerate(times) if time_s >= times[-1] / 2]
    slopes = {
        name: 3600 * slope([times[number] for number in half], [rows[number][key] for number in half])
        for name, key in MEMORY.items()
    }
    long = times[-1] - times[0] >= FEWEST_S
    first, last = rests[0], rests[-1]
    used = rests[ALL_USED] if len(rests) > ALL_USED + 1 else first
    return {
        "episodes": _sums(ledgers),
        "by_world": {name: {**asdict(ledger), "lost": ledger.lost} for name, ledger in ledgers.items()},
        "renewals": last["renewals"],
        "compared": {name: [first[key], last[key]] for name, key in COMPARED.items()},
        "slopes_mb_per_hour": slopes,
        "memory_judged": long,
        "problems": [*_lost(ledgers), *_leaks(first, last), *(_grown(used, last, slopes) if long else ())],
        "rests": rests,
        "rows": rows,
    }


def _sums(ledgers: dict[str, Ledger]) -> dict[str, int]:
    names = ("begun", "finished", "renewed", "stopped", "lost", "cut", "prompts", "steps", "refusals")
    return {name: sum(getattr(ledger, name) for ledger in ledgers.values()) for name in names}


def _lost(ledgers: dict[str, Ledger]) -> list[str]:
    """Episodes that are lost, and errors that should not have reached the world's user."""
    found = [f"{name}: {ledger.lost} episodes are lost" for name, ledger in ledgers.items() if ledger.lost]
    found += [f"{name}: {ledger.cut} episodes were cut short" for name, ledger in ledgers.items() if ledger.cut]
    found += [f"{name}: no episode ended" for name, ledger in ledgers.items() if not ledger.finished]
    for name, ledger in ledgers.items():
        found += [f"{name}: {failure} ({times} times)" for failure, times in Counter(ledger.failures).items()]
    return found


def _leaks(first: dict[str, Any], last: dict[str, Any]) -> list[str]:
    """What is still there at the last rest and was not at the first."""
    counted = {name: key for name, key in COMPARED.items() if key not in MEMORY.values()}
    return [
        f"{name}: {first[key]} at the first rest, {last[key]} at the last"
        for name, key in counted.items()
        if last[key] > first[key] + SLACK.get(key, 0)
    ]


def _grown(first: dict[str, Any], last: dict[str, Any], slopes: dict[str, float]) -> list[str]:
    return [
        f"memory of {name}: {last[key] - first[key]:+.0f} MB from rest to rest, {slopes[name]:+.0f} MB an hour"
        for name, key in MEMORY.items()
        if last[key] - first[key] > MB and slopes[name] > MB_PER_HOUR
    ]
