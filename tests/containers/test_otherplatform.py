"""The warning of an image for another platform, against what Docker 20.10 and 28 say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from millefeuille.containers import otherplatform
from millefeuille.oci.config import parse
from millefeuille.oci.platform import Platform

V2 = "fpu cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"
V3 = f"{V2} abm avx avx2 bmi1 bmi2 f16c fma movbe"
V4 = f"{V3} avx512bw avx512cd avx512dq avx512f avx512vl"


def warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str | None, *platform: str) -> str:
    processor = tmp_path / "cpuinfo"
    if flags is not None:
        processor.write_text(f"processor\t: 0\nvmx flags\t: avx512f\nflags\t\t: {flags}\n\n")
    monkeypatch.setattr(otherplatform, "_CPUINFO", str(processor))
    monkeypatch.setattr(Platform, "host", lambda: Platform.parse("linux/amd64"))
    members = dict(zip(("os", "architecture", "variant"), platform, strict=False))
    return otherplatform.platform_warning(parse(json.dumps(members).encode()))


@pytest.mark.parametrize(
    ("platform", "flags", "shown", "host"),
    [
        (("linux", "arm64"), "fpu", "linux/arm64", "linux/amd64"),
        (("linux", "arm64", "v8"), V4, "linux/arm64/v8", "linux/amd64/v4"),
        (("linux", "arm"), V3, "linux/arm", "linux/amd64/v3"),
        (("linux", "aarch64"), None, "linux/aarch64", "linux/amd64"),
        (("linux",), None, "linux", "linux/amd64"),
        (("", "arm64"), None, "unknown", "linux/amd64"),
        (("linux", "amd64", "v3"), V2, "linux/amd64/v3", "linux/amd64/v2"),
        (("linux", "amd64", "v4"), V4.replace("avx2 ", ""), "linux/amd64/v4", "linux/amd64/v2"),
    ],
)
def test_another_platform(
    platform: tuple[str, ...], flags: str | None, shown: str, host: str, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    assert warning(monkeypatch, tmp_path, flags, *platform) == (
        f"WARNING: The requested image's platform ({shown}) does not match the detected host platform "
        f"({host}) and no specific platform was requested"
    )


@pytest.mark.parametrize(
    "platform",
    [("linux", "amd64"), ("", "amd64"), ("linux", "386"), ("linux", "x86_64"), ("linux", "amd64", "v2"),
     ("linux", "amd64", "v3")],
)  # fmt: skip
def test_what_this_machine_runs(
    platform: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert warning(monkeypatch, tmp_path, V3, *platform) == ""
