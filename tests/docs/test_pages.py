"""What pages speak of exists: other pages, modules, commands, tests, packages."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from tests.docs.pages import PAGES, ROOT, blocks, prose, steps

from millefeuille.faces.cli.commands import COMMANDS, GROUPS

PACKAGE = ROOT / "src/millefeuille"
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = _HEADING.findall(prose(page))
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each_page
def test_files_named_are_there(page: Path) -> None:
    for text in _CODE.findall(prose(page)):
        if re.fullmatch(r"[\w./-]+\.py", text):
            assert (PACKAGE / text).is_file() or (ROOT / text).is_file(), text
        elif re.fullmatch(r"(\.ci|bench|docs|scripts|src|tests|typing_tests)(/[\w.-]+)+/?", text):
            assert (ROOT / text).exists(), text


@each_page
def test_attributes_named_are_there(page: Path) -> None:
    """`Engine`, `files.hook`: a class or function that the package defines, when it looks like ours."""
    for text in _CODE.findall(prose(page)):
        match = re.fullmatch(r"(files|errors|kernel|settings)\.([a-z_]+)", text)
        if match and match[2] != "py":
            tree = ast.parse((PACKAGE / f"{match[1]}.py").read_text(encoding="utf-8"))
            names = {getattr(node, "name", "") for node in tree.body}
            names |= {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)
                      and isinstance(node.target, ast.Name)}  # fmt: skip
            assert match[2] in names, text


def is_command(words: list[str]) -> bool:
    """Whether `mille WORDS` names a command, or a group of them."""
    known = {name for row in COMMANDS for name in row.names} | {group.name for group in GROUPS}
    while words and words[0].startswith("-"):
        words = words[1:]
    return not words or words[0] == "COMMAND" or " ".join(words[:2]) in known or words[0] in known


@each_page
def test_commands_named_are_there(page: Path) -> None:
    shown = [step.command for step in steps(page)]
    for text in [*shown, *_CODE.findall(prose(page))]:
        words = text.partition("#")[0].split()
        if words and words[0] == "mille":
            assert is_command(words[1:]), text


def test_a_wrong_command_is_noticed() -> None:
    assert is_command(["image", "ls"])
    assert is_command(["--debug", "pull", "nginx"])
    assert not is_command(["image-ls"])
    assert not is_command(["frobnicate", "x"])


def test_every_station_has_its_paragraph() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paragraphs = {name for line in text.splitlines() if line.startswith("**")
                  for name in re.findall(r"\*\*`([^`]+)`\*\*", line)}  # fmt: skip
    stations = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in PACKAGE.iterdir()
        if not path.name.startswith("__") and (path.is_dir() or path.suffix == ".py")
    }
    named = {"faces/" if name.startswith("faces/") else name for name in paragraphs}
    assert stations - {"testing/"} == named
    assert "`testing/`" in text


def test_dependencies_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    names = {re.split(r"[<>=!~;\[ ]", text)[0].lower() for text in wanted}
    page = ROOT / "docs/dependencies.md"
    python, _, _ = prose(page).partition("## Programs")
    listed = set(re.findall(r"^\| `([a-z0-9.-]+)` \|", python, re.MULTILINE)) | {"hatchling"}
    assert "`hatchling`" in python
    assert listed == names


def test_peers_are_those_that_the_script_installs() -> None:
    script = (ROOT / "scripts/install").read_text(encoding="utf-8")
    match = re.search(r"^peers=\(([^)]*)\)", script, re.MULTILINE)
    assert match is not None
    _, _, programs = prose(ROOT / "docs/dependencies.md").partition("| program | for |")
    listed = {name for cell in re.findall(r"^\| (`[^|]*`) \|", programs, re.MULTILINE)
              for name in _CODE.findall(cell)}  # fmt: skip
    assert listed == set(match[1].split())


def test_every_table_of_the_database_is_described() -> None:
    from_code = re.findall(r"CREATE TABLE (\w+)", (PACKAGE / "store/schema.py").read_text(encoding="utf-8"))
    page = (ROOT / "docs/store-format.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## The database")
    listed = [name for cell in re.findall(r"^\| (`[^|]*`) \|", section.partition("\n## ")[0], re.MULTILINE)
              for name in _CODE.findall(cell)]  # fmt: skip
    assert sorted(listed) == sorted(from_code)


def test_annotations_of_the_mirror_are_described() -> None:
    code = (PACKAGE / "store/mirror.py").read_text(encoding="utf-8")
    used = set(re.findall(r'= "((?:io\.millefeuille|org\.opencontainers)[\w.-]+)"', code))
    page = (ROOT / "docs/store-format.md").read_text(encoding="utf-8")
    assert used == set(
        re.findall(r"^\| `((?:io\.millefeuille|org\.opencontainers)[\w.-]+)`", page, re.MULTILINE)
    )


def test_directories_of_the_store_are_described() -> None:
    code = ast.parse((PACKAGE / "store/disk.py").read_text(encoding="utf-8"))
    made = next(
        ast.literal_eval(node.value)
        for node in code.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DIRECTORIES"
    )
    page = (ROOT / "docs/store-format.md").read_text(encoding="utf-8")
    for directory in {name.partition("/")[0] for name in made}:
        assert f"| `{directory}/" in page


def test_sections_of_the_index_are_described() -> None:
    code = (PACKAGE / "layers/index_builder.py").read_text(encoding="utf-8")
    code += (PACKAGE / "layers/schema.py").read_text(encoding="utf-8")
    names = set(re.findall(r'\(b"([a-z]+)", ', code))
    names |= {f"{name}end" for name in re.findall(r'strings\(b"([a-z]+)"', code)}
    page = (ROOT / "docs/layers.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| section | content |")
    assert names <= set(_CODE.findall(table))


def test_python_on_the_pages_is_python() -> None:
    found = [block for page in PAGES for block in blocks(page) if block.language == "python"]
    assert found
    for block in found:
        ast.parse(block.text)
