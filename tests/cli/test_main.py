from __future__ import annotations

import pytest

from adversarl import __version__


def test_an_error_that_a_user_can_mend_is_one_panel_and_exit_code_2(adversarl, write, small):
    done = adversarl("recipes", "check", write(small.replace("num_envs", "num_env")))
    assert done.code == 2
    assert "bad.toml: [backend] num_env: unknown key. Did you mean 'num_envs'?" in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_text_in_an_error_is_not_taken_for_markup(adversarl, write, small):
    done = adversarl("recipes", "check", write(small.replace("[backend]", "[bold]")))
    assert "bad.toml: [bold]: unknown table" in done.err


def test_a_bug_keeps_its_traceback(adversarl, write, small, monkeypatch):
    monkeypatch.setattr("adversarl.recipe.parse_recipe", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        adversarl("recipes", "check", write(small))


def test_version_and_help(adversarl):
    assert adversarl("--version").out == f"adversarl {__version__}\n"
    for command in ("run", "evaluate", "export", "prompt", "bench", "doctor", "plugins", "recipes"):
        assert command in adversarl("--help").out
        assert adversarl(command, "--help").code == 0


def test_a_plugin_adds_commands(install, adversarl):
    from adversarl.cli.app import load_plugins

    install(
        "extra-command",
        "from adversarl import hookimpl\n"
        "@hookimpl\n"
        "def adversarl_commands(app):\n"
        "    @app.command()\n"
        "    def greet(name: str):\n"
        "        '''Greet someone.'''\n"
        "        print('hello', name)\n",
    )
    load_plugins.cache_clear()
    try:
        assert adversarl("greet", "world").out == "hello world\n"
    finally:
        load_plugins.cache_clear()
