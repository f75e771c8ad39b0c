"""What commands read of the context."""

from __future__ import annotations

import pytest

from millefeuille.analysis.advice.installs import reading


def nothing(name: str) -> bytes:
    """The content of a file in which there is nothing."""
    return b""


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
        ("go mod download", ("go.mod", "y/go.mod"), None),
        ("bundle install --jobs 4", ("Gemfile", "x.gemspec"), None),
        ("poetry install", ("pyproject.toml",), None),
        ("poetry install --no-root", ("pyproject.toml",), ("pyproject.toml",)),
        ("make", ("Makefile",), None),
        ("npm ci < answers", NODE, None),
    ],
)
def test_one_command(text: str, names: tuple[str, ...], files: tuple[str, ...] | None) -> None:
    found = reading(text, names, {"there.txt"}, nothing)
    assert (found.files if found.commands else None) == files


def test_the_first_commands_of_a_row() -> None:
    found = reading("set -eux; npm ci && npm run build && npm ci", NODE, (), nothing)
    assert found.commands == ("set -eux", "npm ci")
    assert found.rest == ("npm run build", "npm ci")


def test_what_is_no_row_of_commands_is_not_known() -> None:
    assert reading("if true; then npm ci; fi", NODE, (), nothing).commands == ()


HOOK = b'{"scripts": {"postinstall": "node scripts/gen.js"}}'


@pytest.mark.parametrize(("text", "manifest", "content", "is_all"), [
    ("npm ci", "package.json", b'{"scripts": {"build": "x"}, "main": "./a.js"}', True),
    ("npm ci", "package.json", HOOK, False),
    ("npm ci --ignore-scripts", "package.json", HOOK, True),
    ("yarn", "package.json", b'{"scripts": {"prepare": "husky"}}', False),
    ("npm ci", "package.json", b'{"dependencies": {"a": "file:a.tgz"}}', False),
    ("npm ci", "package.json", b'{"dependencies": {"a": "vendor/a.tgz"}}', False),
    ("npm ci", "package.json", b'{"dependencies": {"a": "https://b/a.tgz"}}', True),
    ("npm ci", "package.json", None, False),
    ("go mod download", "go.mod", b"replace y => ../y", False),
    ("go mod download", "go.mod", b"replace y => example.com/y v1", True),
    ("composer install --no-dev", "composer.json", b"{}", True),
    ("composer install --no-dev -o", "composer.json", b"{}", False),
    ("composer install --optimize-autoloader --no-autoloader", "composer.json", b"{}", True),
    ("composer install -a", "composer.json", b"{}", False),
    ("composer install", "composer.json", b'{"autoload": {"classmap": ["src"]}}', False),
    ("composer install", "composer.json", b'{"scripts": {"post-install-cmd": "x"}}', False),
    ("composer install --no-scripts", "composer.json", b'{"scripts": {"post-install-cmd": "x"}}', True),
    ("bundle install", "Gemfile", b"source 'https://rubygems.org'\ngem 'a'", True),
    ("bundle install", "Gemfile", b"gem 'a', path: 'engines/a'", False),
    ("poetry install --no-root", "pyproject.toml", b'a = {path = "../a"}', False),
    ("pipenv install", "Pipfile", b'a = {path = "."}', False),
    ("mix deps.get", "mix.exs", b'{:a, path: "a"}', False),
])  # fmt: skip
@pytest.mark.parametrize("is_there", [False, True])
def test_what_a_manifest_says(
    text: str, manifest: str, content: bytes | None, is_all: bool, is_there: bool
) -> None:
    names, there = ((), {manifest}) if is_there else ((manifest,), set[str]())
    found = reading(text, names, there, lambda name: content)
    assert (found.commands, found.is_all) == ((text,), is_all)


REQUIREMENTS = {
    "dev.txt": b"-r a.txt\npytest  # -r none.txt\n", "a.txt": b"flask \\\n  --hash=sha256:x\n-c sub/c.txt",
    "sub/c.txt": b"-r d.txt", "sub/d.txt": b"",
}  # fmt: skip


@pytest.mark.parametrize(("more", "files", "is_all"), [
    (b"", ("dev.txt", "a.txt", "sub/c.txt", "sub/d.txt"), True),
    (b"-r none.txt", ("dev.txt", "a.txt", "sub/c.txt"), False),
    (b"--requirement=../dev.txt", ("dev.txt", "a.txt", "sub/c.txt"), True),
    (b"-r ../there.txt", ("dev.txt", "a.txt", "sub/c.txt"), True),
    (b"-r https://a/b.txt\n-e git+https://a/b#egg=b\na @ https://a/a.zip",
     ("dev.txt", "a.txt", "sub/c.txt"), True),
    (b"-e .", ("dev.txt", "a.txt", "sub/c.txt"), False),
    (b"./lib", ("dev.txt", "a.txt", "sub/c.txt"), False),
    (b"a @ file:///src/a", ("dev.txt", "a.txt", "sub/c.txt"), False),
    (b"wheels/a.whl", ("dev.txt", "a.txt", "sub/c.txt"), False),
    (b"--find-links=wheels", ("dev.txt", "a.txt", "sub/c.txt"), False),
    (b"-r $WHICH.txt", ("dev.txt", "a.txt", "sub/c.txt"), False),
])  # fmt: skip
def test_files_of_requirements_name_others(more: bytes, files: tuple[str, ...], is_all: bool) -> None:
    contents = {**REQUIREMENTS, "there.txt": b"", **({"sub/c.txt": more} if more else {})}
    found = reading("pip install -r dev.txt", (*REQUIREMENTS,), {"there.txt"}, lambda name: contents[name])
    assert (found.files, found.is_all) == (files, is_all)


def test_what_a_file_of_requirements_that_was_there_names() -> None:
    contents = {"/r/a.txt": b"-r ../b.txt", "/b.txt": b"-e x"}
    found = reading("pip install -r /r/a.txt", ("/b.txt",), {"/r/a.txt"}, lambda name: contents[name])
    assert (found.files, found.is_all) == (("/b.txt",), False)
