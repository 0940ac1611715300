import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from adversarl_claude.curriculum import Claude

from adversarl.interfaces.curriculum import Slot
from adversarl.interfaces.trials import Services
from adversarl.loop import EMPTY
from adversarl.testing.fakes import about, make_episodes, make_trials, make_world

sys.path.insert(0, str(Path(__file__).parent))

from messages_server import Server, answer, item, plan

KEY = "sk-ant-api03-THIS-IS-THE-SECRET-key"


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    return KEY


@pytest.fixture
def serve(key):
    servers = []

    def start(*script, default=None):
        servers.append(Server(script, default or answer(plan(item("dim the light at 40 %")))))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class Conversation:
    """A curriculum on its own, with a server to talk to; its episodes are made up."""

    def __init__(self, folder, server, **options):
        quick = {"timeout_s": 5.0, "deadline_s": 10.0, "max_retries": 0, "ask_every": 5, "apply_after": 2}
        table = {"base_url": server.url if server else None, "fallback": {"use": "static"}, **quick, **options}
        self.folder, self.notices, self.server = folder, [], server
        self.world = about(make_world())
        self.claude = Claude(Claude.Options.model_validate(table), self.world, np.random.default_rng(0))
        self.claude.connect(Services(make_trials(), folder, self.notices.append))
        self.episode = 0

    def play(self, episodes, report=EMPTY):
        """Plays episodes; returns what was proposed in each."""
        proposed = []
        for _ in range(episodes):
            slot = Slot(self.episode % 2, self.episode, 20 * self.episode)
            proposals = tuple(self.claude.propose(slot, report))
            (episode,) = make_episodes(1, self.world.axes, start=self.episode, seed=self.episode)
            episode = replace(episode, clean=False, prompts=tuple(p.text for p in proposals))
            self.claude.observe(episode)
            proposed.append(proposals)
            self.episode += 1
        return proposed

    def texts(self, episodes, report=EMPTY):
        return [proposal.text for proposals in self.play(episodes, report) for proposal in proposals]


@pytest.fixture
def converse(tmp_path, serve):
    """A conversation with a server that follows a script."""
    conversations = []

    def start(*script, folder=tmp_path, server=None, live=False, **options):
        conversations.append(Conversation(folder, None if live else server or serve(*script), **options))
        return conversations[-1]

    yield start
    for conversation in conversations:
        conversation.claude.close()
