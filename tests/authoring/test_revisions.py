"""What git keeps comes out as ordinary files, whatever else an archive may hold."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from botopt.authoring.revisions import _unpack


def archive(*members: tuple[str, bytes, str]) -> tarfile.TarFile:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as made:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                member.size = len(content.encode())
                made.addfile(member, io.BytesIO(content.encode()))
            else:
                member.linkname = content
                made.addfile(member)
    data.seek(0)
    return tarfile.open(fileobj=data)


def test_only_ordinary_files_inside_the_folder_are_unpacked(tmp_path: Path):
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    with archive(
        ("rules", tarfile.DIRTYPE, ""),
        ("rules/a.yaml", tarfile.REGTYPE, "events: {}"),
        ("../outside.yaml", tarfile.REGTYPE, "no"),
        (str(tmp_path / "absolute.yaml"), tarfile.REGTYPE, "no"),
        ("rules/link.yaml", tarfile.SYMTYPE, "/etc/passwd"),
        ("rules/hard.yaml", tarfile.LNKTYPE, "rules/a.yaml"),
        ("templates/deep/b.yaml", tarfile.REGTYPE, "ü"),
    ) as made:
        _unpack(made, folder)
    found = {path.relative_to(tmp_path).as_posix(): path.read_text("utf-8") for path in tmp_path.rglob("*.*")}
    assert found == {"in/here/rules/a.yaml": "events: {}", "in/here/templates/deep/b.yaml": "ü"}
