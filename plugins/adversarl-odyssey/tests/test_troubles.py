import asyncio
import importlib
import socket

import aiohttp
import pytest
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sdk import find_sdk
from adversarl_odyssey.thin import errors
from adversarl_odyssey.troubles import stream_trouble, trouble_of
from answers_server import serving

SECRET = "ody_this_is_the_secret_0123456789"
PATIENCE_S = 20.0


def has_sdk():
    try:
        return bool(find_sdk("sdk", ""))
    except OdysseyError:
        return False


@pytest.fixture(params=["thin", pytest.param("sdk", marks=pytest.mark.skipif(not has_sdk(), reason="needs the SDK"))])
def make_client(request):
    found = find_sdk(request.param, "http://127.0.0.1")
    advanced = found.AdvancedConfig(max_retries=0, queue_timeout_s=0)

    def make(url, key=SECRET):
        return found.Odyssey(key, api_url=url, enable_telemetry=False, advanced=advanced)

    return make


def connected(make_client, answers):
    """The trouble of a connect against those answers."""

    async def work():
        async with serving(answers) as server:
            client = make_client(server.url)
            try:
                with pytest.raises(Exception) as caught:  # noqa: PT011
                    await client.connect()
            finally:
                await client.disconnect()
            return caught.value

    return checked(asyncio.run(work()))


def asked(make_client, answers, use):
    async def work():
        async with serving(answers) as server:
            client = make_client(server.url)
            try:
                with pytest.raises(Exception) as caught:  # noqa: PT011
                    await use(client)
            finally:
                await client.disconnect()
            return caught.value

    return checked(asyncio.run(work()))


def checked(error):
    """What every trouble must be."""
    trouble = trouble_of(error)
    text = str(OdysseyError(trouble.sentence, trouble.action))
    assert trouble.sentence
    assert trouble.action.endswith(".")
    assert not trouble.sentence.endswith(".")
    assert text.isprintable()
    assert len(text) < 600
    assert SECRET not in text
    assert "━" not in text
    return trouble


def usage(code, **details):
    return {"detail": {"error": code, "message": "A limit", "action": "Do something", "details": details}}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((401, {"detail": "Invalid API key"}), "fatal", "does not accept the key in ODYSSEY_API_KEY"),
        ((403, {"detail": "API key revoked"}), "fatal", "does not accept the key.*API key revoked"),
        ((403, {"detail": "The account was closed"}), "fatal", "refuses access .The account was closed"),
        ((403, {"detail": f"no access for {SECRET}"}), "fatal", "refuses access"),
        ((403, "<html>blocked</html>"), "fatal", "refuses"),
        ((422, {"detail": []}), "fatal", "does not accept the key"),
        ((404, {"detail": "Not Found"}), "fatal", "nothing of Odyssey answers"),
        ((429, {"detail": "slow down"}), "transient", "too many requests"),
        ((500, "oops"), "transient", "did not come about"),
        ((503, "maintenance"), "transient", "no machine of the service is free"),
        ((200, {}), "transient", "cannot be understood"),
        ((200, {"access_token": "x", "expires_in": "soon"}), "transient", "cannot be understood"),
        ((200, "<html>a portal of the hotel</html>"), "transient", "cannot be understood"),
    ],
)
def test_what_the_login_answers(make_client, answer, kind, words):
    trouble = connected(make_client, {"POST /auth/token": answer})
    assert trouble.kind == kind, trouble
    assert_words(words, trouble)


def assert_words(words, trouble):
    import re

    assert re.search(words, trouble.sentence), trouble


@pytest.mark.parametrize(
    ("answer", "kind", "words", "wait_s"),
    [
        ((401, {"detail": "Token expired"}), "transient", "token", 0),
        ((403, {"detail": "Forbidden"}), "fatal", "refuses access", 0),
        ((404, {"detail": "Not Found"}), "fatal", "nothing of Odyssey answers", 0),
        ((429, usage("MONTHLY_LIMIT_REACHED")), "fatal", "hours of this month", 0),
        ((429, usage("ACCOUNT_SUSPENDED")), "fatal", "suspended", 0),
        ((429, usage("CONCURRENT_LIMIT_REACHED")), "transient", "as many streams run", 5),
        ((429, usage("STREAM_DURATION_EXCEEDED")), "rotate", "as long as a stream may be", 0),
        ((429, usage("RATE_LIMITED")), "transient", "too many requests", 2),
        ((429, usage("RATE_LIMITED", retry_after_seconds=7)), "transient", "too many requests", 7),
        ((429, usage("RATE_LIMITED", retry_after_seconds="soon")), "transient", "too many requests", 2),
        ((429, usage("SOMETHING_NEW")), "transient", "limit of the account is reached .A limit", 5),
        ((429, {"detail": "Too many requests"}), "transient", "too many requests", 2),
        ((429, {"detail": {"error": "RATE_LIMITED"}}), "transient", "too many requests", 2),
        ((429, "<html>slow down</html>"), "transient", "too many requests", 2),
        ((500, {}), "transient", "did not come about", 0),
        ((503, {}), "transient", "no machine of the service is free", 1),
        ((200, {}), "transient", "", 0),
        ((200, "<html>"), "transient", "cannot be understood", 0),
    ],
)
def test_what_the_request_for_a_session_answers(make_client, answer, kind, words, wait_s):
    trouble = connected(make_client, {"POST /sessions/request": answer})
    assert (trouble.kind, trouble.wait_s) == (kind, wait_s), trouble
    assert_words(words, trouble)


@pytest.mark.parametrize("answer", [(404, {}), (500, {}), (200, {}), (401, {})])
def test_a_session_without_a_token_is_transient(make_client, answer):
    session = {"session_id": "ses_1", "signalling_url": "ws://127.0.0.1:9/signalling"}
    answers = {"POST /sessions/request": (200, session), "POST /sessions/token": answer}
    assert connected(make_client, answers).kind == "transient"


def test_signalling_that_nobody_serves_is_transient(make_client):
    session = {"session_id": "ses_1", "signalling_url": "ws://127.0.0.1:9/signalling"}
    token = {"session_token": "eyJhbGciOiJIUzI1NiJ9.eyJzIjoiMSJ9.c2lnbmF0dXJl", "expires_in": 600}
    answers = {"POST /sessions/request": (200, session), "POST /sessions/token": (200, token)}
    trouble = connected(make_client, answers)
    assert trouble.kind == "transient"
    assert "eyJ" not in str(trouble)


def port_with(digits):
    """A port that nobody listens on and whose number contains those digits."""
    for before in range(1, 6):
        port = int(f"{before}{digits}0")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    pytest.skip("all such ports are in use")


@pytest.mark.parametrize("digits", ["401", "403"])
def test_a_port_that_looks_like_a_refusal_is_none(make_client, digits):
    async def work():
        client = make_client(f"http://127.0.0.1:{port_with(digits)}")
        try:
            await client.connect()
        finally:
            await client.disconnect()

    with pytest.raises(Exception) as caught:  # noqa: PT011
        asyncio.run(work())
    trouble = checked(caught.value)
    assert trouble.kind == "transient"
    assert "cannot be reached" in trouble.sentence


SCRIPT = [{"timestamp_ms": 0, "start": {"prompt": "A table"}}, {"timestamp_ms": 1000, "end": {}}]
USES = {
    "simulate": ("POST /simulation-jobs", lambda client: client.simulate(script=SCRIPT, portrait=False)),
    "status": ("GET /simulation-jobs/job_1", lambda client: client.get_simulate_status("job_1")),
    "list": ("GET /simulation-jobs", lambda client: client.list_simulations(limit=5)),
    "cancel": ("DELETE /simulation-jobs/job_1", lambda client: client.cancel_simulation("job_1")),
    "recording": ("GET /recordings/str_1", lambda client: client.get_recording("str_1")),
    "recordings": ("GET /stream-recordings", lambda client: client.list_stream_recordings(limit=5)),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((401, {"detail": "Not authorized"}), "transient", "token"),
        ((403, {"detail": "Forbidden"}), "fatal", "refuses the request"),
        ((404, {"detail": "Not found"}), "fatal", "refuses the request"),
        ((400, {"detail": "Cannot do that"}), "fatal", "refuses the request"),
        ((422, {"detail": "prompt missing"}), "fatal", "refuses the request"),
        ((429, {"detail": "slow down"}), "transient", "too many requests"),
        ((500, {"detail": "oops"}), "transient", "has a fault"),
        ((503, {"detail": "busy"}), "transient", "no machine"),
        ((200, "<html>"), "transient", "cannot be understood"),
        ((200, {}), "transient", "cannot be understood"),
    ],
)
def test_what_methods_without_a_connection_answer(make_client, use, answer, kind, words):
    name, call = USES[use]
    trouble = asked(make_client, {name: answer}, call)
    assert trouble.kind == kind, trouble
    assert_words(words, trouble)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("MONTHLY_LIMIT_REACHED", "fatal"), ("ACCOUNT_SUSPENDED", "fatal"), ("RATE_LIMITED", "transient")],
)
def test_a_limit_that_a_job_meets_is_read_from_the_body(make_client, code, kind):
    trouble = asked(make_client, {"POST /simulation-jobs": (429, usage(code))}, USES["simulate"][1])
    assert trouble.kind == kind


def test_a_key_that_is_refused_is_fatal_for_jobs_too(make_client):
    for status in (401, 403, 422):
        answers = {"POST /auth/token": (status, {"detail": "API key access denied"})}
        trouble = asked(make_client, answers, USES["list"][1])
        assert trouble.kind == "fatal"
        assert "does not accept the key" in trouble.sentence


def test_nobody_at_the_address_is_transient_for_jobs(make_client):
    async def work():
        client = make_client("http://127.0.0.1:9")
        try:
            await client.list_simulations()
        finally:
            await client.disconnect()

    with pytest.raises(aiohttp.ClientError) as caught:
        asyncio.run(work())
    assert checked(caught.value).kind == "transient"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("quota", "fatal"),
        ("suspended", "fatal"),
        ("concurrent", "transient"),
        ("rate-limit=1", "transient"),
        ("busy=5", "transient"),
        ("no-streamer=1", "transient"),
        ("expire-token=0", "transient"),
    ],
)
def test_what_the_emulator_answers_when_it_refuses_a_session(emulator, make_client, fault, kind):
    async def work():
        client = make_client(emulator.url, emulator.key)
        try:
            await client.connect()
        finally:
            await client.disconnect()

    emulator.faults.switch(fault)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        asyncio.run(work())
    assert checked(caught.value).kind == kind


def test_a_key_that_the_emulator_does_not_know_is_fatal(emulator, make_client):
    async def work():
        client = make_client(emulator.url)
        try:
            await client.connect()
        finally:
            await client.disconnect()

    with pytest.raises(Exception) as caught:  # noqa: PT011
        asyncio.run(work())
    assert checked(caught.value).kind == "fatal"


def test_what_the_emulator_answers_to_a_stream(emulator, make_client):
    async def work():
        told = asyncio.Queue()
        client = make_client(emulator.url, emulator.key)
        try:
            await client.connect(on_stream_error=lambda *values: told.put_nowait(values))
            emulator.faults.switch("lease-denied=1")
            with pytest.raises(Exception) as denied:  # noqa: PT011
                await asyncio.wait_for(client.start_stream("A table", portrait=False), PATIENCE_S)
            assert told.get_nowait()[0] == "lease_denied"
            await asyncio.wait_for(client.start_stream("A table", portrait=False), PATIENCE_S)
            emulator.faults.switch("max-stream=0")
            reason, message = await asyncio.wait_for(told.get(), PATIENCE_S)
            with pytest.raises(Exception) as idle:  # noqa: PT011
                await asyncio.wait_for(client.interact("Dim the lights"), PATIENCE_S)
        finally:
            await client.disconnect()
        with pytest.raises(Exception) as late:  # noqa: PT011
            await client.interact("Dim the lights")
        return denied.value, stream_trouble(reason, message), idle.value, late.value

    denied, rotate, idle, late = asyncio.run(work())
    assert checked(denied).kind == "transient"
    assert rotate.kind == "rotate"
    assert checked(idle).kind == checked(late).kind == "transient"


@pytest.mark.filterwarnings("ignore:ConnectionClosed:DeprecationWarning")  # the SDK 1.3.0 reads its old attributes
def test_a_connection_that_the_emulator_drops_is_transient(emulator, make_client):
    async def work():
        lost = asyncio.get_running_loop().create_future()
        client = make_client(emulator.url, emulator.key)
        try:
            await client.connect(on_error=lambda error, fatal: lost.done() or lost.set_result((error, fatal)))
            emulator.faults.switch("drop-connection=0")
            return await asyncio.wait_for(lost, PATIENCE_S)
        finally:
            await client.disconnect()

    error, fatal = asyncio.run(work())
    assert fatal
    assert checked(error).kind == "transient"


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("quota_exceeded", "", "fatal"),
        ("account_suspended", "", "fatal"),
        ("concurrent_limit_exceeded", "", "transient"),
        ("lease_denied", "", "transient"),
        ("session_timeout", "", "rotate"),
        ("internal_error", "the machine failed", "transient"),
        ("content_moderation", "the prompt is not allowed", "refused"),
        ("prompt_rejected", "", "refused"),
        ("unknown", "", "transient"),
    ],
)
def test_reasons_mean_the_same_told_or_raised(reason, message, kind):
    told, raised = stream_trouble(reason, message), checked(errors.stream_error(reason, message))
    assert told.kind == kind
    assert raised.kind == ("transient" if reason == "account_suspended" else kind)


def names_of_errors():
    modules = [errors] + ([importlib.import_module("odyssey.exceptions")] if has_sdk() else [])
    for module in modules:
        for item in vars(module).values():
            if isinstance(item, type) and issubclass(item, module.OdysseyError):
                yield pytest.param(item, id=f"{module.__name__}.{item.__name__}")


KINDS = {
    "OdysseyError": "transient",
    "OdysseyAuthError": "fatal",
    "OdysseyConnectionError": "transient",
    "OdysseyStreamError": "transient",
    "OdysseyUsageError": "transient",
    "MonthlyLimitReachedError": "fatal",
    "ConcurrentLimitReachedError": "transient",
    "StreamDurationExceededError": "rotate",
    "AccountSuspendedError": "fatal",
    "RateLimitError": "transient",
}


@pytest.mark.parametrize("kind", list(names_of_errors()))
def test_every_class_of_error_has_a_sentence_and_an_action(kind):
    usage_kind = "OdysseyUsageError" in {base.__name__ for base in kind.__mro__}
    error = kind("CODE", "A limit", "Do something") if usage_kind else kind("It went wrong")
    assert checked(error).kind == KINDS[kind.__name__]


class ConnectionClosed(Exception):
    """Like the one of the SDK's WebSocket."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "transient"),
        (ConnectionError("Client to streamer channel not open"), "transient"),
        (ConnectionResetError(104, "Connection reset by peer"), "transient"),
        (ConnectionClosed("no close frame received or sent"), "transient"),
        (asyncio.InvalidStateError(), "transient"),
        (OSError(28, "No space left on device"), "fatal"),
        (aiohttp.ServerDisconnectedError(), "transient"),
        (aiohttp.ClientPayloadError("cut short"), "transient"),
        (aiohttp.ClientResponseError(None, (), status=403, message="url?token=abc"), "fatal"),
        (aiohttp.WSServerHandshakeError(None, (), status=502), "transient"),
        (aiohttp.InvalidURL("nonsense"), "fatal"),
        (KeyError("job_id"), "transient"),
        (ValueError("limit must be between 1 and 100"), "fatal"),
        (RuntimeError(f"a bug {SECRET}\n\x1b[31m"), "transient"),
        (ValueError("api_key is required for this operation. Pass an API key"), "fatal"),
        (OdysseyError("a sentence", "An action."), "fatal"),
        (FileNotFoundError(2, "No such file", "start.png"), "fatal"),
    ],
)
def test_other_errors(error, kind):
    assert checked(error).kind == kind


def test_an_error_of_ours_stays_as_it_is():
    error = OdysseyError("a sentence", "An action.")
    trouble = trouble_of(error)
    assert (trouble.sentence, trouble.action) == (error.sentence, error.action)
