"""What happened to streams, counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Tally:
    """Counts since a stream was made; times are sums [s].

    Attributes:
        frames: Pictures that arrived.
        shown: Pictures that were returned, the same one perhaps several times.
        dropped: Pictures that arrived and were not returned.
        age_s: Ages of the pictures that were returned.
        prompts: Scenes and conditions whose effect could be seen.
        prompt_latency_s: From their sending to the first picture after the service had acknowledged them.
        actions: Sentences of the robot whose effect could be seen.
        action_latency_s: The same for them.
        starts: Streams that began.
        renewals: Streams that began though nobody asked for a new world.
        reconnects: Connections that were lost or given up.
        resent: Sentences that were said again because nobody had acknowledged them.
        refused: Sentences that the service did not take.
    """

    frames: int = 0
    shown: int = 0
    dropped: int = 0
    age_s: float = 0.0
    prompts: int = 0
    prompt_latency_s: float = 0.0
    actions: int = 0
    action_latency_s: float = 0.0
    starts: int = 0
    renewals: int = 0
    reconnects: int = 0
    resent: int = 0
    refused: int = 0


def scalars(tallies: Iterable[Tally]) -> dict[str, float]:
    """Sums of the counts, and means of the times [s] where there is anything to average."""
    sums: dict[str, float] = {}
    for tally in tallies:
        for name, value in asdict(tally).items():
            sums[name] = sums.get(name, 0.0) + value
    counts = ("frames", "dropped", "starts", "renewals", "reconnects", "resent", "refused")
    found = {f"odyssey/{name}": sums.get(name, 0.0) for name in counts}
    means = (
        ("frame_age_s", "age_s", "shown"),
        ("latency_s", "prompt_latency_s", "prompts"),
        ("action_latency_s", "action_latency_s", "actions"),
    )
    return found | {f"odyssey/{name}": sums[total] / sums[n] for name, total, n in means if sums.get(n)}
