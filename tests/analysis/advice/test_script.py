"""Steps for advice, from a history."""

from __future__ import annotations

import json

from millefeuille.analysis.advice.script import from_history
from millefeuille.analysis.image import make_image
from millefeuille.oci.config import parse


def test_commands_behind_arguments_are_read_without_them() -> None:
    steps = [
        "ARG V=1 2", "RUN |1 V=1 2 rm -r /a # buildkit", "RUN |1 V=3 touch /b # buildkit",
        "RUN /bin/sh -c x # buildkit",
    ]  # fmt: skip
    document = {
        "os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created_by": step, "empty_layer": True} for step in steps],
    }  # fmt: skip
    script = from_history(make_image("x", parse(json.dumps(document).encode()), []))
    runs = [(step.body, step.command) for step in script if step.word == "RUN"]
    assert runs == [("rm -r /a", "rm -r /a"), ("|1 V=3 touch /b", None), ("x", "x")]
