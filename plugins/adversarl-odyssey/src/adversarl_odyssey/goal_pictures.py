"""Pictures of a solved task: from files, or from a video that the world model makes of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from adversarl_odyssey.bank.store import Bank, Entry, Script
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sources import fit

if TYPE_CHECKING:
    from adversarl_odyssey.bank.filling import Filling
    from adversarl_odyssey.pure_options import OdysseyOptions

SIZE = 84
"""Edge of a kept picture [pixel]."""
ENDING = 20
"""Pictures at the end of a video that show the goal; a few of them are kept."""
KEPT = 3
"""How many."""
SECONDS = 8.0
"""Length of the video that is asked for [s]."""
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
VIDEOS = (".mp4", ".webm", ".mov", ".mkv", ".avi")
_BUDGET = 2**28

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """Pictures of one solved task, and where known what it looked like before; each of Shape (SIZE, SIZE, 3)."""

    pictures: tuple[Picture, ...]
    before: Picture | None = None


def load(path: Path) -> list[Goal]:
    """What a file or a folder shows of the goal.

    Raises:
        OdysseyError: There is nothing of that kind.
    """
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURES + VIDEOS)
        found = [goal for one in files for goal in load(one)]
    elif path.suffix.lower() in VIDEOS and path.exists():
        found = [ending(path)]
    else:
        found = [Goal((_read(path),))]
    if not found:
        raise OdysseyError(f"the goal {path} holds no picture and no video", "Put some there, such as goal.png.")
    return found


def ending(video: Path) -> Goal:
    """The end of a video, and its beginning."""
    from adversarl_odyssey.bank.films import pictures

    shown = pictures(video, SIZE, _BUDGET)
    last = shown[-min(ENDING, len(shown)) :]
    chosen = np.unique(np.linspace(0, len(last) - 1, KEPT).round().astype(int))
    return Goal(tuple(last[index] for index in chosen), shown[0])


def _read(path: Path) -> Picture:
    import cv2

    read = cv2.imread(str(path)) if path.exists() else None
    if read is None:
        what = "is no picture that can be read" if path.exists() else "does not exist"
        raise OdysseyError(f"the goal {path} {what}", "Name a picture, a video, or a folder of them.")
    return fit(np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), dtype=np.uint8), SIZE)


def goal_script(options: OdysseyOptions) -> Script:
    """What a pure world asks for where its judge was told no goal."""
    return Script(options.scene, SECONDS, options.goal_text, options.portrait)


def asks_for_goal(options: OdysseyOptions) -> bool:
    """Whether a pure world asks for a video of its goal, since nobody showed it one."""
    return options.judge["use"] == "goal-image" and not options.judge.get("goal")


def goal_folder(options: OdysseyOptions) -> Path:
    """The bank in which pure worlds keep it; by default in the user's caches (XDG base directory specification)."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(options.bank).expanduser() if options.bank else caches / "adversarl" / "odyssey"


def goal_video(options: OdysseyOptions, notice: Callable[[str], None], paid: Callable[[float, str], None]) -> Path:
    """The video of somebody doing the task: the bank's, or one that is made now, by one job.

    Of several processes that want it at once, one makes it, and the others wait.

    Args:
        options: What it shows, and how to reach the service.
        notice: Tells the user that it takes a while, and what it costs.
        paid: Told how much was paid [s], whatever came of it, and what for.

    Raises:
        OdysseyError: The service does not make it.
    """
    bank, script = Bank(goal_folder(options)), goal_script(options)
    if not bank.has(script):
        with bank.locked(lambda problem: notice(f"The video of the goal is waited for, as {problem}.")):
            if not bank.has(script):  # nobody made it meanwhile
                _make(options, bank, script, notice, paid)
    return bank.video(bank.entries[script.hash])


def _make(
    options: OdysseyOptions,
    bank: Bank,
    script: Script,
    notice: Callable[[str], None],
    paid: Callable[[float, str], None],
) -> None:
    from adversarl_odyssey.bank.filling import Filling
    from adversarl_odyssey.bank.store import retried

    cost = script.seconds / 3600 * options.price_usd_per_hour
    notice(f'Asking for a video of the goal, "{script.then}" ({script.seconds:g} s, about {cost:.3f} USD), once.')
    entry = bank.add(script)
    if entry.status in ("done", "failed"):  # one whose file is gone, or that failed in an earlier run
        bank.put(entry := retried(entry))
    try:
        _run(Filling(bank, options, poll_s=0.5, max_queued=10), entry)
    finally:
        more = bank.entries[script.hash].attempts - entry.attempts
        if more:
            paid(more * script.seconds, "goal video")
    made = bank.entries[script.hash]
    if made.status != "done":
        problem = f"the service made no video of the goal: {made.error or made.status}"
        raise OdysseyError(problem, 'Try again, or give pictures of it: judge = { use = "goal-image", goal = "PATH" }.')


def _run(filling: Filling, entry: Entry) -> None:
    """Runs the job to its end, also where this thread has an event loop of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(filling.run([entry]))
        return
    with ThreadPoolExecutor(1, thread_name_prefix="goal") as thread:
        thread.submit(asyncio.run, filling.run([entry])).result()
