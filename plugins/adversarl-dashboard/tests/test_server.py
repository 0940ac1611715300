import socket
from pathlib import Path

import pytest
from adversarl_dashboard.server import Settings, check_folder, check_port, flags, is_loopback
from typer.testing import CliRunner

from adversarl.cli.app import build_app
from adversarl.errors import AdversarlError


def test_a_folder_that_is_missing_or_a_file_is_refused_with_advice(tmp_path):
    check_folder(tmp_path)
    with pytest.raises(AdversarlError, match=r"missing: there is no such folder.*adversarl run RECIPE"):
        check_folder(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(AdversarlError, match="is a file, not a folder"):
        check_folder(tmp_path / "file")


def test_a_port_in_use_is_told_with_a_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AdversarlError, match=rf"--port {port}: in use by another process. Use --port \d+") as told:
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", int(str(told.value).split()[-1]))
    check_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(AdversarlError, match=r"--host 192.0.2.1: .* Use 127.0.0.1"):
        check_port("192.0.2.1", 8501)
    with pytest.raises(AdversarlError, match=r"--host no such host: .* Use 127.0.0.1"):
        check_port("no such host", 8501)


def test_only_addresses_of_this_machine_are_loopback():
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost")] == [True] * 3
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.0.3", "example.org")] == [False] * 4


def test_settings_become_flags():
    config = {"server": {"headless": True}, "theme": {"light": {"textColor": "#000"}, "sizes": ["2rem", "1rem"]}}
    assert flags(config) == [
        "--server.headless=true",
        "--theme.light.textColor=#000",
        "--theme.sizes=2rem",
        "--theme.sizes=1rem",
    ]


def test_the_pages_learn_what_the_command_was_told(monkeypatch):
    monkeypatch.delenv("ADVERSARL_DASHBOARD", raising=False)
    assert Settings.from_environment() == Settings(Path("runs"))
    monkeypatch.setenv("ADVERSARL_DASHBOARD", "{}")
    Settings(Path("elsewhere"), allow_run=True).to_environment()
    assert Settings.from_environment() == Settings(Path("elsewhere"), allow_run=True)


def test_the_command_refuses_before_it_starts_anything(tmp_path):
    outcome = CliRunner().invoke(build_app(), ["dashboard", str(tmp_path / "missing")])
    assert isinstance(outcome.exception, AdversarlError)
