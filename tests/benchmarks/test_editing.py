"""The benchmark of edits finds what it types into."""

from __future__ import annotations

from benchmarks.editing import measure
from benchmarks.validation import write_workspace


def test_every_kind_of_edit_is_measured(tmp_path, capsys):
    write_workspace(tmp_path, 5)
    assert measure(tmp_path, 1) > 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("joined: ")]) == 9
    assert len([line for line in lines if line.startswith("settings: ")]) == 4
