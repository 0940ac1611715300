"""A local server that speaks Anthropic's Messages API over real HTTP, and fails in every way on demand."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behavior = Callable[["Handler", dict[str, Any]], None]


def message(content: list[dict[str, Any]], stop_reason: str = "tool_use", **usage: int) -> dict[str, Any]:
    """A response of the API."""
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 900,
            "output_tokens": 300,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": 2000,
            **usage,
        },
    }


def call(name: str, answer: Any) -> dict[str, Any]:
    """A response that calls a tool."""
    return message([{"type": "tool_use", "id": "toolu_01", "name": name, "input": answer}])


def item(prompt: str, weight: float = 1.0, **more: Any) -> dict[str, Any]:
    """A proposal of a plan."""
    base = {"prompt": prompt, "why": "half of it succeeds", "weight": weight, "onset_share": 0.0}
    return {**base, "duration_share": 1.0, "expected_success": 0.5, **more}


def plan(*items: dict[str, Any]) -> dict[str, Any]:
    """A response with a plan."""
    return call("propose_plan", {"proposals": list(items)})


def answer(response: dict[str, Any]) -> Behavior:
    """Answers as the API does."""
    return lambda handler, request: handler.reply(200, response)


def fail(status: int, kind: str, text: str, **headers: str) -> Behavior:
    """Answers with an error of the API; retry-after only as a header."""
    body = {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_01"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, request: handler.reply(status, body, **named)


RATE_LIMIT = fail(429, "rate_limit_error", "too many requests", retry_after="0.05")
OVERLOADED = fail(529, "overloaded_error", "Overloaded", retry_after="0.05")
SERVER_ERROR = fail(500, "api_error", "Internal server error", retry_after="0.05")


def unauthorized(handler: Handler, request: dict[str, Any]) -> None:
    """Refuses the key and repeats it, as a careless proxy might."""
    key = handler.key
    handler.reply(401, {"type": "error", "error": {"type": "authentication_error", "message": f"invalid key {key}"}})


def echo_key(handler: Handler, request: dict[str, Any]) -> None:
    """Answers with the key in the plan."""
    key = handler.key
    handler.reply(200, plan(item("dim the light at 40 %", why=f"because {key}"), item(f"use {key}")))


def words(handler: Handler, request: dict[str, Any]) -> None:
    """Answers in words instead of calling the tool."""
    handler.reply(200, message([{"type": "text", "text": "I would dim the light."}], "end_turn"))


def malformed(handler: Handler, request: dict[str, Any]) -> None:
    """Sends a body that is no JSON."""
    handler.raw(200, b'{"id": "msg_01", "content": [')


def no_message(handler: Handler, request: dict[str, Any]) -> None:
    """Sends JSON that is no message."""
    handler.reply(200, {"hello": "world"})


def slow(handler: Handler, request: dict[str, Any]) -> None:
    """Is silent until the client gives up."""
    handler.wait(10.0)


def drip(handler: Handler, request: dict[str, Any]) -> None:
    """Sends its answer byte by byte, each soon enough for a timeout between bytes."""
    body = json.dumps(plan(item("dim the light at 40 %"))).encode()
    handler.head(200, len(body))
    for byte in body:
        if handler.wait(0.05):
            return
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()


def cut(handler: Handler, request: dict[str, Any]) -> None:
    """Closes the connection in the middle of the answer."""
    handler.head(200, 5000)
    handler.wfile.write(b'{"id": "msg_01", ')
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


class Handler(BaseHTTPRequestHandler):
    """One request; what becomes of it is the server's script."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path.partition("?")[0] == "/v1/messages"
        assert self.headers["anthropic-version"]
        try:
            self.server.next(body, self.key)(self, body)
        except OSError:
            self.close_connection = True

    @property
    def key(self) -> str:
        """The key, in either header that the API takes it in."""
        return self.headers["x-api-key"] or self.headers["authorization"].removeprefix("Bearer ")

    def reply(self, status: int, body: Any, **headers: str) -> None:
        self.raw(status, json.dumps(body).encode(), **headers)

    def raw(self, status: int, body: bytes, **headers: str) -> None:
        self.head(status, len(body), **headers)
        self.wfile.write(body)

    def head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def wait(self, seconds: float) -> bool:
        """Waits; returns whether the server is going down."""
        return self.server.going_down.wait(seconds)

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """Serves on a port of this machine, 0 for a free one; `script` says what happens to one request after the other."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, script: Iterable[Behavior], default: Behavior, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.going_down = threading.Event()
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.times: list[float] = []
        self._script: Iterator[Behavior] = iter(script)
        self._default = default
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next(self, body: dict[str, Any], key: str) -> Behavior:
        with self._lock:
            self.requests.append(body)
            self.keys.append(key)
            self.times.append(time.monotonic())
            return next(self._script, self._default)

    def handle_error(self, *_: Any) -> None:
        """Nothing: clients that give up are what is tested."""

    def close(self) -> None:
        self.going_down.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
