from adversarl_dashboard.readers.files import Tail, last_rows, number, read_table


def test_a_tail_hands_out_each_complete_line_once(tmp_path):
    path = tmp_path / "journal"
    tail = Tail(path)
    assert tail.read() == (False, b"")
    path.write_bytes(b"one\ntwo\nthr")
    assert tail.read() == (False, b"one\ntwo\n")
    with path.open("ab") as file:
        file.write(b"ee\n")
    assert tail.read() == (False, b"three\n")
    assert tail.read() == (False, b"")


def test_a_tail_begins_anew_where_the_file_was_cut(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b"one\ntwo\n")
    tail = Tail(path)
    tail.read()
    path.write_bytes(b"one\n")
    assert tail.read() == (True, b"one\n")


def test_a_tail_sees_that_a_file_was_cut_and_grew_beyond_where_it_was(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b"one\ntwo\n")
    tail = Tail(path)
    tail.read()
    path.write_bytes(b"one\nTWO\nthree\n")
    assert tail.read() == (True, b"one\nTWO\nthree\n")


def test_a_tail_begins_anew_where_the_file_went_away(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b"one\n")
    tail = Tail(path)
    tail.read()
    path.unlink()
    assert tail.read() == (True, b"")
    path.write_bytes(b"new\n")
    assert tail.read() == (False, b"new\n")


def test_the_last_rows_leave_out_what_is_cut_off_or_no_row(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"n": 1}\nspoilt\n[3]\n{"n": 2}\n{"n": 3}\n{"n": ')
    assert last_rows(path, 2) == [{"n": 2}, {"n": 3}]
    assert last_rows(path, 9) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert last_rows(tmp_path / "missing", 2) == []


def test_the_last_rows_of_a_long_journal_are_read_from_its_end_alone(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text("".join(f'{{"n": {n}}}\n' for n in range(1000)))
    assert last_rows(path, 1000, reach=25) == [{"n": 998}, {"n": 999}]


def test_a_table_that_cannot_be_read_is_empty(tmp_path):
    for name, content in (("a.json", b'{"cut": '), ("b.toml", b"[cut"), ("c.json", b"[1]"), ("d.toml", b"\xff")):
        (tmp_path / name).write_bytes(content)
        assert read_table(tmp_path / name) == {}
    assert read_table(tmp_path / "missing.json") == {}
    (tmp_path / "e.toml").write_text("[run]\nseed = 1\n")
    assert read_table(tmp_path / "e.toml") == {"run": {"seed": 1}}


def test_only_numbers_are_numbers():
    assert [number(value) for value in (1, 0.5, True, "1", None)] == [1.0, 0.5, None, None, None]
