"""What commands read of the context."""

from __future__ import annotations

import pytest

from millefeuille.analysis.advice.installs import reading

NODE = ("package.json", "package-lock.json", "src/a.js")


@pytest.mark.parametrize(
    ("text", "names", "files"),
    [
        ("npm ci", NODE, ("package.json", "package-lock.json")),
        ("CI=1 npm ci --omit=dev", NODE, ("package.json", "package-lock.json")),
        ("npm install -g yarn", NODE, ()),
        ("npm install --global yarn", NODE, ()),
        ("npm ci", (*NODE, "web/package.json"), None),  # it may be a workspace
        ("npm ci", (*NODE, "node_modules/x/package.json"), ("package.json", "package-lock.json")),
        ("npm run build", NODE, None),
        ("npm ci --prefix web", NODE, None),
        ("npm ci", ("web/package.json",), None),
        ("yarn", ("package.json", ".yarn/x"), ("package.json", ".yarn")),
        ("yarn build", NODE, None),
        ("pip install -r a.txt", ("a.txt", "b.py"), ("a.txt",)),
        ("pip3 install --no-cache-dir -ra.txt -c c.txt wheel", ("a.txt", "c.txt"), ("a.txt", "c.txt")),
        ("python3 -m pip install --requirement=a.txt", ("a.txt",), ("a.txt",)),
        ("pip install flask==2", ("a.py",), ()),
        ("pip install .", ("setup.py",), None),
        ("pip install ./lib", ("lib/setup.py",), None),
        ("pip install -e .[dev]", ("setup.py",), None),
        ("pip install -r other.txt", ("a.txt",), None),
        ("pip install -r there.txt", ("a.txt",), ()),
        ("apt-get update", NODE, ()),
        ("DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends a b", NODE, ()),
        ("apt-get install -y ./a.deb", NODE, None),
        ("apt-get install -y $(cat list)", NODE, None),
        ("rm -rf /var/lib/apt/lists/*", NODE, ()),
        ("rm -rf tests", ("tests/a", "/app/tests/a"), None),
        ("rm -rf /app/*.md", ("a.md", "/app/a.md"), None),
        ("rm -rf /", ("a.md", "/app/a.md"), None),
        ("rm *.md", ("a.md", "/app/a.md"), None),
        ("mkdir -p /data /application", ("a.md", "/app/a.md"), ()),
        ("rm -rf $X", ("a.md", "/app/a.md"), None),
        ("go mod download", ("go.mod", "go.sum", "main.go"), ("go.mod", "go.sum")),
        ("go mod download", ("go.mod", "go.work"), None),
        ("bundle install --jobs 4", ("Gemfile", "x.gemspec"), None),
        ("poetry install", ("pyproject.toml",), None),
        ("poetry install --no-root", ("pyproject.toml",), ("pyproject.toml",)),
        ("make", ("Makefile",), None),
        ("npm ci < answers", NODE, None),
    ],
)
def test_one_command(text: str, names: tuple[str, ...], files: tuple[str, ...] | None) -> None:
    found = reading(text, names, {"there.txt"})
    assert (found.files if found.commands else None) == files


def test_the_first_commands_of_a_row() -> None:
    found = reading("set -eux; npm ci && npm run build && npm ci", NODE, ())
    assert found.commands == ("set -eux", "npm ci")
    assert found.rest == ("npm run build", "npm ci")


def test_what_is_no_row_of_commands_is_not_known() -> None:
    assert reading("if true; then npm ci; fi", NODE, ()).commands == ()
