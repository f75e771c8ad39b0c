"""--chmod, against chmod(1) where that has an opinion."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from millefeuille.build.copying.chmod import InvalidMode, parse

SYMBOLS = [
    "u+x", "+x", "a+x", "go-w", "u=rwX,go=rX", "u=rw,go=r", "g=u", "o=g", "u=g,g=o", "+X", "a-x,+X", "ug+s",
    "u+s", "g-s", "+t", "a+t", "-t", "u+rw-x", "=r", "a=", "u=,g+w", "go=u-w", "+rwx", "o+t", "u+t",
    "ugo=rwx",
]  # fmt: skip


@pytest.mark.parametrize("text", SYMBOLS)
@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o711, 0o1777, 0o2755, 0o4711, 0])
@pytest.mark.parametrize("is_directory", [False, True])
def test_files_get_what_chmod_gives_them(text: str, mode: int, is_directory: bool, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.mkdir() if is_directory else path.touch()
    path.chmod(mode)
    subprocess.run(["chmod", "--", text, str(path)], check=True, umask=0)
    assert parse(text).applied(mode, is_directory=is_directory) == stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.parametrize("text", ["0", "7", "755", "0755", "4755", "07777", "00000644"])
def test_octal_modes_are_the_whole_mode(text: str) -> None:
    assert parse(text).octal == int(text, 8) == parse(text).applied(0o1234, is_directory=False)


@pytest.mark.parametrize(
    "text",
    ["", "8", "77777", "0o755", "rwx", "u", "u=q", "u=rw,", ",u=r", "x+u", "-1", "u=ug", "u+x g+x", "٧"]
)  # fmt: skip
def test_all_else_is_refused_in_the_words_of_buildkit(text: str) -> None:
    with pytest.raises(InvalidMode) as caught:
        parse(text)
    words = f"invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777"
    assert str(caught.value) == words
