"""What ``adversarl odyssey bank`` does: says what is missing and what it costs, and makes it."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adversarl.cli.output import console, print_json
from adversarl.recipe import Recipe
from adversarl_odyssey.bank.filling import Filling
from adversarl_odyssey.bank.plan import Wanted, scripts_of, service_of, unpaid
from adversarl_odyssey.bank.store import Bank, Entry, Script, retried
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.estimate.assumed import PRICES
from adversarl_odyssey.options import ServiceOptions


@dataclass(frozen=True, slots=True)
class Making:
    """What was asked for on the command line.

    Attributes:
        folder: The bank's.
        wanted: Which videos.
        command: The command itself, for the message that says how to go on.
        only_prompts: Only those asked for in words, and the goal.
        dry_run: Whether nothing is made.
        retry_failed: Whether those are tried again that failed for good.
        max_queued: Most jobs at once.
        poll_s: Pause between two looks at them [s].
    """

    folder: Path
    wanted: Wanted
    command: str
    only_prompts: bool = False
    dry_run: bool = False
    retry_failed: bool = False
    max_queued: int = 10
    poll_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Bill:
    """What is missing, and what it costs.

    Attributes:
        videos: All that are wanted.
        missing: Those that are not there and will be made.
        in_hand: Those of them that the service works at, and that are paid for.
        failed: Those that failed for good, and are left alone.
        hours: What has yet to be paid [h].
    """

    videos: int
    missing: int
    in_hand: int
    failed: int
    hours: float

    def to_json(self, price: float) -> dict[str, Any]:
        """A JSON-ready dictionary; money in US dollars."""
        low, high = PRICES
        usd = {"usd_low": self.hours * low, "usd_high": self.hours * high, "usd": self.hours * price}
        return asdict(self) | usd


def make(recipe: Recipe, making: Making, *, as_json: bool) -> None:
    """Makes what a bank lacks.

    Raises:
        OdysseyError: It costs more than `max_cost_usd`, the service refuses, videos failed, or it was interrupted.
    """
    service, bank = service_of(recipe), Bank(making.folder)
    scripts = scripts_of(recipe, making.wanted, only_prompts=making.only_prompts)
    bill = _bill(bank, scripts, retry=making.retry_failed)
    if making.dry_run:
        _tell(bill, scripts, bank, service, as_json=as_json)
        return
    _check_budget(bill, service)
    if not as_json:
        _print_bill(bill, bank, service)
    with bank.locked():
        if not making.only_prompts:
            bank.levels = bank.levels_with(making.wanted.levels)
        entries = [_prepared(bank, script, retry=making.retry_failed) for script in scripts]
        bank.write()
        if any(entry.status not in ("done", "failed") for entry in entries):
            _fill(bank, entries, service, making, quiet=as_json)
    _report(bank, [bank.entries[entry.script.hash] for entry in entries], service, as_json=as_json)


def _prepared(bank: Bank, script: Script, *, retry: bool) -> Entry:
    entry = bank.add(script)
    lost = entry.status == "done" and not bank.has(script)
    if lost or (retry and entry.status == "failed"):
        bank.put(retried(entry))
    return bank.entries[script.hash]


def _bill(bank: Bank, scripts: Sequence[Script], *, retry: bool) -> Bill:
    wanted = [script for script in scripts if unpaid(bank, script, retry=retry)]
    count = Counter(bank.entries[s.hash].status for s in scripts if s not in wanted)
    missing, hours = len(wanted) + count["running"], sum(script.seconds for script in wanted) / 3600
    return Bill(len(scripts), missing, count["running"], count["failed"], hours)


def _check_budget(bill: Bill, service: ServiceOptions) -> None:
    usd = bill.hours * service.price_usd_per_hour
    if usd > service.max_cost_usd:
        problem = f"the videos would cost {usd:.2f} USD, and max_cost_usd is {service.max_cost_usd:g}"
        raise OdysseyError(problem, f"Make fewer or shorter ones, or add: --set backend.max_cost_usd={usd:.0f}")


def _fill(bank: Bank, entries: Sequence[Entry], service: ServiceOptions, making: Making, *, quiet: bool) -> None:
    orphans = [entry for entry in entries if entry.status == "sending"]
    if orphans and not quiet:
        text = "an earlier process died while it asked for a video; if the service made it, it is paid twice"
        console.print(text, style="yellow", highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[jobs]}"), console=console, disable=quiet) as progress:
        bar = progress.add_task("videos", total=len(entries), jobs="")

        def show(entry: Entry) -> None:
            count = Counter(bank.entries[e.script.hash].status for e in entries)
            jobs = ", ".join(f"{count[s]} {s}" for s in ("running", "wanted", "failed") if count[s])
            progress.update(bar, completed=count["done"] + count["failed"], jobs=jobs)
            if entry.error and entry.status in ("wanted", "failed"):
                progress.console.print(_failure(entry), style="yellow", highlight=False, soft_wrap=True)

        filling = Filling(bank, service, poll_s=making.poll_s, max_queued=making.max_queued, on_change=show)
        try:
            asyncio.run(_until_signal(filling, entries))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise _interrupted(bank, entries, making) from None


async def _until_signal(filling: Filling, entries: Sequence[Entry]) -> None:
    """SIGTERM ends it as SIGINT does: what is being sent is noted first."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await filling.run(entries)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def _interrupted(bank: Bank, entries: Sequence[Entry], making: Making) -> OdysseyError:
    count = Counter(bank.entries[e.script.hash].status for e in entries)
    running = f"; {count['running']} go on at the service and are not paid again" if count["running"] else ""
    problem = f"stopped with {count['done']} of {len(entries)} videos in {making.folder}{running}"
    return OdysseyError(problem, f"Go on with: {making.command}")


def _report(bank: Bank, entries: Sequence[Entry], service: ServiceOptions, *, as_json: bool) -> None:
    failed = [entry for entry in entries if entry.status == "failed"]
    done = [entry for entry in entries if entry.status == "done"]
    if as_json:
        videos = {e.script.hash: asdict(e) for e in entries}
        print_json({"folder": str(bank.folder), "done": len(done), "failed": len(failed), "videos": videos})
    else:
        seconds = sum(entry.duration_s or 0 for entry in done)
        text = f"{bank.folder}: {len(done)} videos, {seconds:.0f} s"
        console.print(text, highlight=False, soft_wrap=True)
        for goal in (bank.video(entry) for entry in done if entry.script.then):
            console.print(f'goal video, for goal-image\'s goal = "{goal}"', highlight=False, soft_wrap=True)
    if failed:
        words = "; ".join(dict.fromkeys(entry.error or "no reason given" for entry in failed))
        advice = "Word them differently, or try them again with --retry-failed"
        raise OdysseyError(f"{len(failed)} of {len(entries)} videos failed: {words.rstrip('.')}", advice)


def _failure(entry: Entry) -> str:
    what = "given up" if entry.status == "failed" else "tried again"
    return f'{what}: "{escape(_ending(entry.script))}": {escape(entry.error or "")}'


def _ending(script: Script) -> str:
    """The end of a prompt, which tells it from others."""
    text = script.then or script.prompt
    return text if len(text) <= 60 else f"…{text[-60:]}"


def _print_bill(bill: Bill, bank: Bank, service: ServiceOptions) -> None:
    low, high = (bill.hours * price for price in PRICES)
    own = bill.hours * service.price_usd_per_hour
    there = bill.videos - bill.missing - bill.failed
    text = f"{bill.videos} videos for {bank.folder}: {there} are there, {bill.missing} are missing"
    text += f" ({bill.in_hand} of them in the service's hands and paid for)" if bill.in_hand else ""
    text += f", {bill.failed} failed before (--retry-failed tries them again)" if bill.failed else ""
    console.print(text, highlight=False, soft_wrap=True)
    if bill.hours:
        text = f"to pay: {3600 * bill.hours:.0f} s = {bill.hours:.3f} h, {low:.2f} to {high:.2f} USD"
        console.print(f"{text}; at the recipe's price {own:.2f} USD", highlight=False, soft_wrap=True)


def _tell(bill: Bill, scripts: Sequence[Script], bank: Bank, service: ServiceOptions, *, as_json: bool) -> None:
    """What would be done."""
    rows = [
        (script, "wanted" if unpaid(bank, script, retry=False) else bank.entries[script.hash].status)
        for script in scripts
    ]
    if as_json:
        videos = [{"prompt": s.prompt, "then": s.then, "seconds": s.seconds, "status": status} for s, status in rows]
        print_json({"folder": str(bank.folder), **bill.to_json(service.price_usd_per_hour), "videos": videos})
        return
    for script, status in rows:
        console.print(f"{status:8} {_ending(script)}", markup=False, highlight=False, soft_wrap=True)
    _print_bill(bill, bank, service)
