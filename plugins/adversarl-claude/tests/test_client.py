import asyncio
import threading
import time

import messages_server as api
import pytest
from adversarl_claude.client import Client
from adversarl_claude.options import ServiceOptions

REQUEST = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def ask(serve):
    """Asks a server with a script; returns how it ended and the server."""
    clients = []

    def ask(*script, **options):
        server = serve(*script)
        quick = {"base_url": server.url, "timeout_s": 0.5, "deadline_s": 2.5, "max_retries": 1}
        client = Client(ServiceOptions(**{**quick, **options}))
        clients.append(client)
        return client.poll(client.submit(REQUEST), wait_s=20), server

    yield ask
    for client in clients:
        client.close()


def test_an_answer_comes_back_as_plain_data(ask):
    outcome, server = ask(api.answer(api.message([{"type": "text", "text": "hi"}], "end_turn")))
    assert outcome.trouble is None
    assert outcome.response["content"] == [{"type": "text", "text": "hi"}]
    assert outcome.response["usage"]["output_tokens"] == 300
    assert server.requests == [REQUEST]


@pytest.mark.parametrize("passing", [api.RATE_LIMIT, api.OVERLOADED, api.SERVER_ERROR, api.cut])
def test_what_passes_is_tried_again_by_the_sdk(ask, passing):
    outcome, server = ask(passing)
    assert outcome.response is not None
    assert len(server.requests) == 2


def test_retry_after_is_waited_for(ask):
    _, server = ask(api.fail(429, "rate_limit_error", "too many requests", retry_after="0.9"))
    first, second = server.times
    assert second - first >= 0.9


@pytest.mark.parametrize(
    ("behavior", "kind", "words", "lost"),
    [
        (api.RATE_LIMIT, "rate-limit", "HTTP 429", 0),
        (api.OVERLOADED, "overloaded", "HTTP 529", 0),
        (api.SERVER_ERROR, "server", "HTTP 500", 0),
        (api.unauthorized, "key", "ANTHROPIC_API_KEY", 0),
        (api.fail(404, "not_found_error", "model: claude-nothing"), "key", "'model'", 0),
        (api.fail(400, "invalid_request_error", "tools.0: no"), "request", "tools.0: no", 0),
        (api.malformed, "malformed", "something else than an answer", 1),
        (api.no_message, "malformed", "content", 1),
        (api.cut, "connection", "lost", 2),
        (api.slow, "timeout", "timeout_s", 2),
        (api.drip, "timeout", "deadline_s", 1),
    ],
)
def test_every_failure_is_a_trouble_that_says_what_happened(ask, behavior, kind, words, lost):
    outcome, _ = ask(behavior, behavior)
    assert outcome.response is None
    assert (outcome.trouble.kind, outcome.lost) == (kind, lost)
    assert words in outcome.trouble.text


def test_a_service_that_is_not_there_is_a_trouble_that_costs_nothing(ask, serve):
    gone = serve()
    gone.close()
    outcome, _ = ask(base_url=gone.url, max_retries=0)
    assert outcome.trouble.kind == "connection"
    assert "cannot be reached" in outcome.trouble.text
    assert outcome.lost == 0


@pytest.mark.parametrize(("passing", "lost"), [(api.RATE_LIMIT, 0), (api.slow, 1), (api.cut, 1)])
def test_attempts_that_the_sdk_repeats_are_known_where_they_may_have_been_billed(ask, passing, lost):
    outcome, _ = ask(passing)
    assert outcome.response is not None
    assert outcome.lost == lost


def test_no_more_attempts_are_made_than_the_budget_allows(serve):
    server = serve(api.cut, api.cut, api.cut)
    client = Client(ServiceOptions(base_url=server.url, max_retries=5))
    outcome = client.poll(client.submit(REQUEST, max_retries=1), wait_s=20)
    client.close()
    assert outcome.lost == len(server.requests) == 2


def test_asking_does_not_wait_for_the_answer(serve):
    server = serve(api.slow)
    client = Client(ServiceOptions(base_url=server.url, max_retries=0))
    ticket = client.submit(REQUEST)
    assert client.poll(ticket) is None
    client.close()


def test_closing_leaves_no_thread_and_no_task_behind(serve):
    server = serve(api.slow, api.slow)
    before = set(threading.enumerate())
    client = Client(ServiceOptions(base_url=server.url))
    assert set(threading.enumerate()) == before
    for _ in range(2):
        client.submit(REQUEST)
    (thread,) = {t for t in threading.enumerate() if t.name == "adversarl-claude"} - before
    loop = client._loop
    while len(server.requests) < 2:
        time.sleep(0.01)
    client.close()
    client.close()
    assert not thread.is_alive()
    assert {t.name for t in set(threading.enumerate()) - before if "process_request" not in t.name} == set()
    assert loop.is_closed()
    assert asyncio.all_tasks(loop) == set()


def test_a_key_that_no_header_can_hold_is_a_trouble_that_does_not_tell_it(ask, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret-part\nother-secret-part")
    outcome, _ = ask(max_retries=0)
    assert outcome.trouble is not None
    assert "secret" not in outcome.trouble.text


def test_a_key_that_the_service_repeats_is_hidden(ask, key):
    outcome, server = ask(api.echo_key)
    assert server.keys == [key]
    assert key not in str(outcome)
    assert "[key]" in str(outcome)
    refused, _ = ask(api.unauthorized)
    assert "[key]" in refused.trouble.text


def test_a_kind_of_block_that_the_sdk_does_not_know_is_no_reason_to_warn(ask, recwarn):
    outcome, _ = ask(api.answer(api.message([{"type": "image"}], "end_turn")))
    assert outcome.response["content"] == [{"type": "image"}]
    assert not recwarn
