import json

import numpy as np
from adversarl_dashboard.readers.episodes import ROW, Episodes, rolling


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_columns_are_those_of_the_journal(made):
    episodes, rows = Episodes(made / "episodes.jsonl"), rows_of(made / "episodes.jsonl")
    episodes.refresh()
    assert len(episodes) == len(rows) > 50
    assert episodes.spoilt == 0
    assert episodes.index.tolist() == [row["index"] for row in rows]
    assert episodes.env_steps.tolist() == [row["env_steps"] for row in rows]
    assert episodes.length.tolist() == [row["length"] for row in rows]
    assert episodes.success.tolist() == [row["success"] for row in rows]
    assert episodes.nominal.tolist() == [not row["perturbations"] for row in rows]
    assert episodes.training.tolist() == [row["phase"] == "train" for row in rows]
    assert 0 < episodes.nominal.sum() < len(rows)


def test_rows_as_the_core_writes_them_take_the_fast_way(made):
    assert all(ROW.match(line) for line in (made / "episodes.jsonl").read_bytes().splitlines(keepends=True))


def test_rows_with_other_keys_or_another_order_are_read_too(tmp_path):
    path = tmp_path / "episodes.jsonl"
    path.write_text('{"success": true, "length": 3, "env_steps": 12, "index": 4, "more": [1]}\n')
    episodes = Episodes(path)
    episodes.refresh()
    assert (episodes.index[0], episodes.env_steps[0], episodes.length[0]) == (4, 12, 3)
    assert episodes.success[0]
    assert episodes.nominal[0]
    assert episodes.training[0]


def test_what_was_appended_is_added_and_a_cut_journal_is_read_anew(made, tmp_path):
    lines = (made / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "episodes.jsonl"
    path.write_bytes(b"".join(lines[:20]) + lines[20][:9])
    episodes = Episodes(path)
    episodes.refresh()
    assert len(episodes) == 20
    path.write_bytes(b"".join(lines[:30]))
    episodes.refresh()
    assert len(episodes) == 30
    path.write_bytes(b"".join(lines[:7]))
    episodes.refresh()
    assert len(episodes) == 7


def test_spoilt_lines_are_counted_and_left_out(made, tmp_path):
    lines = (made / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "episodes.jsonl"
    path.write_bytes(lines[0] + b"\x00\xff\n" + lines[1][:40] + b"\n" + b'{"index": "x"}\n' + lines[2])
    episodes = Episodes(path)
    episodes.refresh()
    assert (len(episodes), episodes.spoilt) == (2, 3)
    assert episodes.row(1) == json.loads(lines[2])


def test_a_row_is_found_by_its_place_and_gone_when_the_file_is(made, tmp_path):
    path = tmp_path / "episodes.jsonl"
    path.write_bytes((made / "episodes.jsonl").read_bytes())
    episodes, rows = Episodes(path), rows_of(path)
    episodes.refresh()
    assert episodes.row(11) == rows[11]
    assert episodes.row(-1) == rows[-1]
    assert episodes.row(len(rows)) is None
    path.unlink()
    assert episodes.row(11) is None


def test_rolling_success_is_the_mean_over_the_last_episodes(tmp_path):
    path = tmp_path / "episodes.jsonl"
    rows = ({"index": n, "env_steps": 10 * n, "length": 10, "success": n >= 10} for n in range(20))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    episodes = Episodes(path)
    episodes.refresh()
    x, y = rolling(episodes, np.ones(20, dtype=bool), window=10)
    assert (x[0], y[0]) == (0, 0.0)
    assert dict(zip(x, y, strict=True))[140] == 0.5
    assert (x[-1], y[-1]) == (190, 1.0)
    even = np.arange(20) % 2 == 0
    assert rolling(episodes, even, window=10)[0] == list(range(0, 200, 20))
    assert rolling(episodes, np.zeros(20, dtype=bool)) == ([], [])
    assert len(rolling(episodes, np.ones(20, dtype=bool), points=5)[0]) == 5
