"""``claude.jsonl``: every call of a run as it happens, and what a resumed run need not ask again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adversarl_claude.client import Outcome
from adversarl_claude.meter import Usage, cost_usd, worst_case_usd
from adversarl_claude.prices import Price
from adversarl_claude.troubles import Trouble

FILE = "claude.jsonl"


@dataclass(slots=True)
class Known:
    """A call that an earlier process recorded: how it ended, when that was used, and what it may have cost."""

    outcome: Outcome
    episode: int | None = None
    cost_usd: float = 0.0


def identity(request: Mapping[str, Any]) -> str:
    """A name for a request that two requests share only if they are equal: 16 hexadecimal digits of its SHA-256."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Record:
    """Appends rows; an instance with no folder keeps nothing.

    Each row has ``event``, ``source`` (who asked) and ``time``:

    * ``static``: what does not change between calls, once, with its ``hash``.
    * ``asked``: ``id``, ``model``, ``episode``, ``static`` (the hash), ``worst_usd`` (of an attempt), ``attempts`` (at
      most), ``messages``.
    * ``answered``: ``id``, ``response``, ``usage``, ``cost_usd``, ``lost`` (attempts that may have been billed too).
    * ``failed``: ``id``, ``trouble``, ``lost``.
    * ``used``: ``id`` and the ``episode`` at which the answer was used or the failure was noticed.
    * ``dropped``: ``id``, ``what`` and ``why``, where a part of an answer could not be used.

    Args:
        folder: The run folder.
        source: Who asks.
        price: What tokens cost.
    """

    def __init__(self, folder: Path | None, source: str, price: Price) -> None:
        self._path = None if folder is None else folder / FILE
        self._source, self._price = source, price
        self._static = set[str]()
        self._worst, self._on_their_way = dict[str, float](), dict[str, float]()
        self._interrupted = 0.0
        self._known: dict[str, Known] = {}
        for row in self._rows():
            self._learn(row)

    def known(self, name: str) -> Known | None:
        """What an earlier process found out about a request, once; later it has to be asked anew."""
        return self._known.pop(name, None)

    def forget(self, names: Iterable[str]) -> None:
        """Drops calls whose outcome is part of the checkpoint that the run goes on from."""
        for name in names:
            self._known.pop(name, None)

    @property
    def interrupted_usd(self) -> float:
        """Worst case of the calls that were on their way when an earlier process ended [USD]."""
        return self._interrupted + sum(self._on_their_way.values())

    @property
    def paid_usd(self) -> float:
        """What the known calls may have cost that were not used again yet [USD]."""
        return sum(known.cost_usd for known in self._known.values())

    def asked(self, name: str, request: Mapping[str, Any], episode: int, attempts: int) -> None:
        """Writes a request: what does not change by its hash, the messages whole; and how often it is sent at most."""
        static = {key: value for key, value in request.items() if key != "messages"}
        static_hash = identity(static)
        if static_hash not in self._static:
            self._static.add(static_hash)
            self._append("static", {"hash": static_hash, "request": static})
        row = {"id": name, "model": request["model"], "episode": episode, "static": static_hash}
        worst = worst_case_usd(request, self._price)
        self._append("asked", {**row, "worst_usd": worst, "attempts": attempts, "messages": request["messages"]})

    def ended(self, name: str, outcome: Outcome) -> None:
        """Writes how a call ended."""
        if outcome.trouble is not None:
            self._append("failed", {"id": name, "trouble": asdict(outcome.trouble), "lost": outcome.lost})
        elif outcome.response is not None:
            usage = Usage.of(outcome.response)
            cost = cost_usd(usage, self._price)
            row = {"id": name, "response": outcome.response, "usage": asdict(usage), "cost_usd": cost}
            self._append("answered", {**row, "lost": outcome.lost})

    def used(self, name: str, episode: int) -> None:
        """Writes when an answer was used."""
        self._append("used", {"id": name, "episode": episode})

    def dropped(self, name: str, what: str, why: str) -> None:
        """Writes what of an answer could not be used."""
        self._append("dropped", {"id": name, "what": what, "why": why})

    def _append(self, event: str, row: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        head = {"event": event, "source": self._source, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**head, **row}) + "\n")

    def _rows(self) -> list[dict[str, Any]]:
        """This source's rows; a last line that a crash cut off is removed from the file."""
        if self._path is None or not self._path.exists():
            return []
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._path, len(whole))
        rows = [json.loads(line) for line in whole.splitlines()]
        return [row for row in rows if row["source"] == self._source]

    def _learn(self, row: Mapping[str, Any]) -> None:
        """The first end of a call counts; a key that was refused may be another one now."""
        if row["event"] == "static":
            self._static.add(row["hash"])
        elif row["event"] == "asked":
            self._worst[row["id"]] = row["worst_usd"]
            self._interrupted += self._on_their_way.pop(row["id"], 0.0)
            self._on_their_way[row["id"]] = row["attempts"] * row["worst_usd"]
        elif row["event"] in ("answered", "failed"):
            self._on_their_way.pop(row["id"], None)
            self._end(row, row["lost"] * self._worst[row["id"]])
        elif row["event"] == "used" and row["id"] in self._known and self._known[row["id"]].episode is None:
            self._known[row["id"]].episode = row["episode"]

    def _end(self, row: Mapping[str, Any], lost_usd: float) -> None:
        if row["event"] == "answered":
            ended = Known(Outcome(row["response"], lost=row["lost"]), cost_usd=row["cost_usd"] + lost_usd)
        elif row["trouble"]["kind"] != "key":
            ended = Known(Outcome(trouble=Trouble(**row["trouble"]), lost=row["lost"]), cost_usd=lost_usd)
        else:
            return
        self._known.setdefault(row["id"], ended)
