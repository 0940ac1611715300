"""A stand-in for Claude that looks at the pictures it is sent: a color rule behind the Messages API, over real HTTP.

It measures the path of the reward detector `claude`, from frames to verdicts and back, with faults on the way; it says
nothing of what a vision model is worth. To have it at hand::

    python plugins/adversarl-claude/tests/looking_server.py --port 8765 --faults 0.1
    export ANTHROPIC_API_KEY=local
    adversarl bench rewards --detector claude --set claude.base_url=http://127.0.0.1:8765 --max-frames 200

The rule: something red in the upper part of a picture is a cube that was lifted.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import threading
import zlib
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from typing import Any

import messages_server as api
import numpy as np
from adversarl_claude.meter import picture_tokens
from numpy.typing import NDArray
from PIL import Image

LIFTED = 0.48
"""Height in the picture, from its top, above which something red was lifted [1]."""
SHARPNESS = 25.0
"""How fast the rule grows sure with the distance from `LIFTED`."""
BYTES_PER_TOKEN = 3.5
"""Of English and JSON."""
TOOL_TOKENS = 350
"""What Anthropic adds to a request that has a tool."""
SLOW_S = 0.3


def pictures_of(request: dict[str, Any]) -> list[NDArray[np.uint8]]:
    """The pictures of the first message of a request, decoded."""
    blocks = [block for block in request["messages"][0]["content"] if block["type"] == "image"]
    return [np.asarray(Image.open(io.BytesIO(b64decode(block["source"]["data"])))) for block in blocks]


def sight(number: int, picture: NDArray[np.uint8]) -> dict[str, Any]:
    """What the rule says of a picture."""
    red, green, blue = (picture[..., i].astype(float) for i in range(3))
    found = (red > 90) & (red > 1.8 * green) & (red > 1.8 * blue)
    if not found.any():
        return entry(number, "nothing red can be seen", False, 0.5, 0.0)
    height = float(np.flatnonzero(found.any(axis=1)).mean() / len(picture))
    p = 1 / (1 + math.exp(-SHARPNESS * (LIFTED - height)))
    shows = f"something red at {height:.2f} of the height from the top"
    return entry(number, shows, p >= 0.5, round(max(p, 1 - p), 2), round(p, 2))


def entry(number: int, shows: str, solved: bool, confidence: float, progress: float) -> dict[str, Any]:
    """What is said of one picture."""
    return {"picture": number, "shows": shows, "solved": solved, "confidence": confidence, "progress": progress}


def sights_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """What the rule says of all pictures of a request."""
    return [sight(number, picture) for number, picture in enumerate(pictures_of(request), 1)]


def respond(request: dict[str, Any], sights: Sequence[Any]) -> dict[str, Any]:
    """A response with the tokens that such a question and answer have, by Anthropic's formula for pictures."""
    pictures = pictures_of(request)
    words = [block["text"] for block in request["messages"][0]["content"] if block["type"] == "text"]
    text = json.dumps([request["system"], request["tools"], words, request["messages"][1:]])
    seen = sum(picture_tokens(picture.shape[1], picture.shape[0]) for picture in pictures)
    usage = {
        "input_tokens": TOOL_TOKENS + seen + round(len(text) / BYTES_PER_TOKEN),
        "output_tokens": round(len(json.dumps(sights)) / BYTES_PER_TOKEN),
        "cache_creation_input_tokens": 0,
    }
    block = {"type": "tool_use", "id": "toolu_01", "name": "judge_pictures", "input": {"pictures": list(sights)}}
    return api.message([block], **usage)


def look(handler: api.Handler, request: dict[str, Any]) -> None:
    """Answers by the rule."""
    handler.reply(200, respond(request, sights_of(request)))


def slow(handler: api.Handler, request: dict[str, Any]) -> None:
    """Answers by the rule, after a while."""
    handler.wait(SLOW_S)
    look(handler, request)


def malformed_input(handler: api.Handler, request: dict[str, Any]) -> None:
    """Calls the tool with words where numbers should be."""
    handler.reply(200, respond(request, [{**one, "confidence": "quite sure"} for one in sights_of(request)]))


def too_few(handler: api.Handler, request: dict[str, Any]) -> None:
    """Leaves the last picture out."""
    handler.reply(200, respond(request, sights_of(request)[:-1]))


FAULTS: dict[str, api.Behavior] = {
    "rate limit": api.RATE_LIMIT,
    "overloaded": api.OVERLOADED,
    "malformed input": malformed_input,
    "too few": too_few,
    "words": api.words,
    "no JSON": api.malformed,
    "slow": slow,
}


class Moody:
    """Looks, and fails now and then, by what is asked and how often it was asked: the same questions fare alike.

    Args:
        faults: Share of requests that do not get a good answer at once, in [0, 1].

    Attributes:
        met: How often each fault was met; under an empty name, none.
    """

    def __init__(self, faults: float) -> None:
        self.faults = faults
        self.met = Counter[str]()
        self._asked = Counter[int]()
        self._lock = threading.Lock()

    def __call__(self, handler: api.Handler, request: dict[str, Any]) -> None:
        number = zlib.crc32(json.dumps(request["messages"]).encode())
        with self._lock:
            self._asked[number] += 1
            drawn = zlib.crc32(f"{number} {self._asked[number]}".encode())
            fault = list(FAULTS)[drawn % len(FAULTS)] if drawn / 2**32 < self.faults else ""
            self.met[fault] += 1
        FAULTS.get(fault, look)(handler, request)


def main() -> None:
    """Serves until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8765, help="port of this machine")
    parser.add_argument("--faults", type=float, default=0.1, help="share of requests that fail at first, in [0, 1]")
    options = parser.parse_args()
    server = api.Server((), Moody(options.faults), options.port)
    print(f"a color rule that speaks the Messages API: {server.url}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.close()


if __name__ == "__main__":
    main()
