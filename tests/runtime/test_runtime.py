"""What an error of a runtime is told with."""

from __future__ import annotations

import pytest

from millefeuille.runtime.runtime import StartFailed


@pytest.mark.parametrize("reason", ["mount /a: not a directory", "mount `/a` to `b`: Not a directory"])
def test_a_directory_on_a_file_is_hinted_at_whichever_runtime_says_so(reason: str) -> None:
    assert "mount a directory onto a file (or vice-versa)" in str(StartFailed(reason))
