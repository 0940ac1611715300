import json
import time

import messages_server as api

DIM, SHIFT = "dim the light at 40 %", "shift the camera at 30 %"
SCRIPT = (
    api.answer(api.plan(api.item(DIM), api.item("summon a gremlin"))),
    api.answer(api.plan(api.item(SHIFT))),
    api.SERVER_ERROR,
    api.answer(api.plan(api.item("shake the controls at 20 %"))),
)


def test_what_was_recorded_is_used_at_the_same_episodes_without_a_key(converse, monkeypatch):
    first = converse(*SCRIPT, apply_after=None)
    while "shake the controls at 20 %" not in first.texts(3):
        pass
    spent, episodes = first.claude.scalars(), first.episode
    first.claude.close()
    again = converse(apply_after=None)
    assert again.claude.service.record.paid_usd == spent["claude/cost_usd"]
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    silent = converse(server=again.server, apply_after=None)
    silent.play(episodes)
    assert silent.claude.scalars() == spent
    here, there = silent.claude.state_dict(), first.claude.state_dict()
    assert [here[name] for name in ("plan", "counts", "effects")] == [there[n] for n in ("plan", "counts", "effects")]
    assert again.server.requests == []


def rows(folder):
    return [json.loads(line) for line in (folder / "claude.jsonl").read_text().splitlines()]


def test_every_call_is_recorded_with_its_static_part_once(converse):
    talk = converse(*SCRIPT)
    talk.play(40)
    recorded = rows(talk.folder)
    (static,) = [row for row in recorded if row["event"] == "static"]
    asked = [row for row in recorded if row["event"] == "asked"]
    requests = [{**static["request"], "messages": row["messages"]} for row in asked]
    assert requests == talk.server.requests
    ended = {row["id"] for row in recorded if row["event"] in ("answered", "failed")}
    used = {row["id"]: row["episode"] for row in recorded if row["event"] == "used"}
    assert [(used[row["id"]] - row["episode"]) for row in asked if row["id"] in used] == [2] * len(used)
    assert set(used) <= ended
    answered = next(row for row in recorded if row["event"] == "answered")
    assert answered["usage"] == {"input": 900, "output": 300, "cache_read": 0, "cache_write": 2000}
    assert abs(answered["cost_usd"] - (900 * 2 + 300 * 10 + 2000 * 2.5) / 1e6) < 1e-12


def test_a_question_on_its_way_is_sent_again_and_counted_as_perhaps_billed(converse):
    talk = converse(api.slow)
    talk.play(6)
    while not talk.server.requests:
        time.sleep(0.01)
    state = json.loads(json.dumps(talk.claude.state_dict()))
    talk.claude.close()
    again = converse()
    again.claude.load_state_dict(state)
    again.episode = talk.episode
    assert set(again.texts(8)[1:]) == {DIM}
    assert again.server.requests[0] == talk.server.requests[0]
    assert again.claude.service.meter.interrupted_usd > 0


def test_every_crash_counts_what_it_lost(converse):
    state = None
    for _ in range(3):
        talk = converse(api.slow, max_retries=1)
        if state is not None:
            talk.claude.load_state_dict(state)
        state = state or json.loads(json.dumps(talk.claude.state_dict()))
        talk.play(6)
        talk.claude.close()
    worst = [row["worst_usd"] for row in rows(talk.folder) if row["event"] == "asked"]
    last = converse()
    last.claude.load_state_dict(state)
    assert len(worst) == 3
    assert last.claude.service.meter.interrupted_usd == 2 * sum(worst) > 0


def test_attempts_that_were_lost_count_once_however_often_a_run_is_resumed(converse):
    talk = converse(api.cut, max_retries=1)
    state = json.loads(json.dumps(talk.claude.state_dict()))
    talk.play(9)
    lost = talk.claude.scalars()["claude/lost_usd"]
    talk.claude.close()
    again = converse(max_retries=1)
    again.claude.load_state_dict(state)
    before = again.claude.service.record.paid_usd
    again.play(9)
    assert again.claude.scalars()["claude/lost_usd"] == lost > 0
    assert before == lost + again.claude.scalars()["claude/cost_usd"]
    assert again.claude.service.record.paid_usd == again.claude.service.meter.interrupted_usd == 0


def test_an_answer_that_came_before_the_crash_is_not_paid_again(converse):
    talk = converse(apply_after=4)
    talk.play(8)
    while not [row for row in rows(talk.folder) if row["event"] == "answered"]:
        talk.claude.service.collect(talk.episode - 1)
    state = json.loads(json.dumps(talk.claude.state_dict()))
    talk.claude.close()
    again = converse(apply_after=4, ask_every=50)
    again.claude.load_state_dict(state)
    again.episode = talk.episode
    assert set(again.texts(8)[1:]) == {DIM}
    assert again.server.requests == []
    assert again.claude.service.meter.interrupted_usd == 0


def test_a_line_that_a_crash_cut_off_is_removed(converse):
    talk = converse()
    talk.play(9)
    talk.claude.close()
    whole = (talk.folder / "claude.jsonl").read_bytes()
    (talk.folder / "claude.jsonl").write_bytes(whole + b'{"event": "answ')
    converse()
    assert (talk.folder / "claude.jsonl").read_bytes() == whole
