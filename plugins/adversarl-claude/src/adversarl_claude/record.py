"""``claude.jsonl``: every call of a run as it happens, and what a resumed run need not ask again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
      most), ``messages``. Who does not go by episodes writes the number of the occasion.
    * ``answered``: ``id``, ``response``, ``usage``, ``cost_usd``, ``lost`` (attempts that may have been billed too).
    * ``failed``: ``id``, ``trouble``, ``lost``.
    * ``used``: ``id`` and the ``episode`` at which the answer was used or the failure was noticed.
    * ``dropped``: ``id``, ``what`` and ``why``, where a part of an answer could not be used.

    Args:
        folder: The run folder.
        source: Who asks.
        price: What tokens cost.
        pictures: Whether pictures are kept whole; else by their hash, because a run that shows many fills the disk.
    """

    def __init__(self, folder: Path | None, source: str, price: Price, *, pictures: bool = True) -> None:
        self._path = None if folder is None else folder / FILE
        self._source, self._price, self._pictures = source, price, pictures
        self._static = set[str]()
        self._worst, self._on_their_way = dict[str, float](), dict[str, float]()
        self._interrupted = 0.0
        self._known: dict[str, list[Known]] = {}
        for row in self._rows():
            self._learn(row)

    def known(self, name: str) -> Known | None:
        """What an earlier process found out about a request, as often as it asked; later it has to be asked anew."""
        several = self._known.get(name, [])
        first = several.pop(0) if several else None
        if not several:
            self._known.pop(name, None)
        return first

    def forget(self, names: Iterable[str]) -> None:
        """Drops calls whose outcome is part of the checkpoint that the run goes on from."""
        for name in names:
            self.known(name)

    @property
    def interrupted_usd(self) -> float:
        """Worst case of the calls that were on their way when an earlier process ended [USD]."""
        return self._interrupted + sum(self._on_their_way.values())

    @property
    def paid_usd(self) -> float:
        """What the known calls may have cost that were not used again yet [USD]."""
        return sum(known.cost_usd for several in self._known.values() for known in several)

    def asked(self, name: str, request: Mapping[str, Any], episode: int, attempts: int) -> None:
        """Writes a request: what does not change by its hash, the messages; and how often it is sent at most."""
        static = {key: value for key, value in request.items() if key != "messages"}
        static_hash = identity(static)
        if static_hash not in self._static:
            self._static.add(static_hash)
            self._append("static", {"hash": static_hash, "request": static})
        row = {"id": name, "model": request["model"], "episode": episode, "static": static_hash}
        worst = worst_case_usd(request, self._price)
        messages = request["messages"] if self._pictures else _without_pictures(request["messages"])
        self._append("asked", {**row, "worst_usd": worst, "attempts": attempts, "messages": messages})

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

    def _rows(self) -> Iterator[dict[str, Any]]:
        """This source's rows; a last line that a crash cut off is removed from the file."""
        if self._path is None or not self._path.exists():
            return
        size = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    os.truncate(self._path, size)
                    break
                size += len(line)
                row = json.loads(line)
                if row["source"] == self._source:
                    yield row

    def _learn(self, row: Mapping[str, Any]) -> None:
        """A key that was refused may be another one now."""
        if row["event"] == "static":
            self._static.add(row["hash"])
        elif row["event"] == "asked":
            self._worst[row["id"]] = row["worst_usd"]
            self._interrupted += self._on_their_way.pop(row["id"], 0.0)
            self._on_their_way[row["id"]] = row["attempts"] * row["worst_usd"]
        elif row["event"] in ("answered", "failed"):
            self._on_their_way.pop(row["id"], None)
            self._end(row, row["lost"] * self._worst[row["id"]])
        elif row["event"] == "used":
            unused = (known for known in self._known.get(row["id"], []) if known.episode is None)
            if (first := next(unused, None)) is not None:
                first.episode = row["episode"]

    def _end(self, row: Mapping[str, Any], lost_usd: float) -> None:
        if row["event"] == "answered":
            ended = Known(Outcome(row["response"], lost=row["lost"]), cost_usd=row["cost_usd"] + lost_usd)
        elif row["trouble"]["kind"] != "key":
            ended = Known(Outcome(trouble=Trouble(**row["trouble"]), lost=row["lost"]), cost_usd=lost_usd)
        else:
            return
        self._known.setdefault(row["id"], []).append(ended)


def _without_pictures(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages with the SHA-256 of each picture in base64 in place of its data."""
    return [{**message, "content": [_slim(block) for block in message["content"]]} for message in messages]


def _slim(block: dict[str, Any]) -> dict[str, Any]:
    if "data" not in block.get("source", {}):
        return block
    source = block["source"]
    return {**block, "source": {**source, "data": f"sha256:{hashlib.sha256(source['data'].encode()).hexdigest()}"}}
