from __future__ import annotations

import pytest

import millefeuille
from millefeuille.faces.cli.main import main


def test_both_sides_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[:2] == ["Client:", f" Version:           {millefeuille.__version__}"]
    assert "Server: millefeuille" in lines
    assert "  API version:      1.50 (minimum version 1.24)" in lines


@pytest.mark.parametrize(
    ("template", "out", "err", "code"),
    [
        ("{{.Server.APIVersion}} {{.Client.Os}}", "1.50 linux\n", "", 0),
        ("{{range .Server.Components}}{{.Name}}{{end}}", "Engine\n", "", 0),
        ("{{.Server.Experimental}}{{.Server.BuildTime}} {{.Client.Platform}}", "false <nil>\n", "", 0),
        ("{{.Nope", "", "template parsing error: template: version:1: unclosed action\n", 64),
        (
            "{{.Nope}}",
            "",
            'template: version:1:2: executing "version" at <.Nope>: '
            "can't evaluate field Nope in type system.versionInfo\n",
            1,
        ),
    ],
)
def test_templates(template: str, out: str, err: str, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--format", template]) == code
    assert tuple(capfd.readouterr()) == (out, err)
