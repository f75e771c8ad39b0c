"""StepFailed: a RUN whose command ended with something else than 0, in BuildKit's words."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.errors import Conflict, Failed
from millefeuille.oci.gotext import quoted


class StepFailed(Failed):
    """The command ended with `code`, or was not started at all, for the reason `unstarted`. `kept` is the
    ID of its root for `shell`, None when that is gone, and `unkept` says why though it was to stay; `lines`
    are the last that it printed; `line` is where it stands in the Dockerfile, 0 until somebody says so.
    """

    line = 0

    def __init__(
        self,
        arguments: Sequence[str],
        code: int,
        *,
        unstarted: str = "",
        kept: str | None = None,
        unkept: str = "",
        lines: Sequence[bytes] = (),
    ) -> None:
        advice = [f"The runtime did not start it: {unstarted}"] if unstarted else []
        advice += [f"Nothing of it was kept: {unkept}"] if unkept else []
        words = quoted(" ".join(arguments))
        super().__init__(
            f"process {words} did not complete successfully: exit code: {code}",
            advice="\n".join(advice) or None,
        )
        self.code = code
        self.kept = kept
        self.lines = tuple(lines)


class StepStopped(Conflict):
    """The build was stopped, and with it what a stage of it did."""
