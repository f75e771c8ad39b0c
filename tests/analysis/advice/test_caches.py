"""Caches that are mounted, and those whose files something needs."""

from __future__ import annotations

import json

import pytest
from tests.analysis.advice.made import Made, step, waste

from millefeuille.analysis.advice.caches import caches
from millefeuille.analysis.advice.edits import AddFlag
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.oci.config import parse
from millefeuille.testing.rawtars import directory, file, symlink
from millefeuille.values import replace

NPM = step("RUN npm install ms", file(b"root/.npm/_cacache/a", b"x" * 20000))
APT = step("RUN apt-get install -y -d bc", file(b"var/cache/apt/archives/bc_1.deb", b"x" * 20000))
MAVEN = step(
    "RUN mvn package", file(b"root/.m2/settings.xml", b"x" * 20),
    file(b"root/.m2/repository/a.jar", b"x" * 20000),
)  # fmt: skip
POETRY = step(
    "RUN poetry install", file(b"root/.cache/pypoetry/virtualenvs/a/x.py", b"x"),
    file(b"root/.cache/pypoetry/artifacts/a.whl", b"x" * 20000),
)  # fmt: skip
GO = step("RUN go build -o /bin/x .", file(b"root/go/pkg/mod/a.go", b"x" * 20000))
OTHER = file(b"o", b"o")


def targets(*steps: Made) -> list[str]:
    """Where advice mounts caches; none for advice without a patch."""
    made = waste(("FROM a", ()), ("WORKDIR /app", ()), *steps)
    edits = [edit for advice in caches(made) for edit in advice.edits]
    text = rewrite(made.script, edits).text
    flags = [word for word in text.split() if word.startswith("--mount=type=cache")]
    return [flag.split("target=")[1].split(",")[0] for flag in flags]


def test_settings_are_not_covered() -> None:
    copy = step("COPY settings.xml /root/.m2/settings.xml", file(b"root/.m2/settings.xml", b"y" * 10))
    assert targets(copy, MAVEN) == ["/root/.m2/repository"]
    assert targets(POETRY) == ["/root/.cache/pypoetry/artifacts"]


def test_files_that_a_copy_put_there() -> None:
    copy = step("COPY lib /root/.m2/repository", file(b"root/.m2/repository/lib.jar", b"y" * 10))
    assert targets(copy, MAVEN) == []
    assert targets(step("RUN base", file(b"root/.m2/a", b"y")), NPM) == ["/root/.npm"]


@pytest.mark.parametrize(("made", "later"), [
    (NPM, "RUN cp -r /root/.npm/_cacache /opt/offline"),
    (NPM, "RUN cd /root && tar cf /o .npm"),
    (NPM, "RUN cp -a ~/.npm /o"),
    (NPM, 'RUN cp -a "$HOME" /o'),
    (NPM, "RUN cp -r /root/.n*/_cacache /o"),
    (NPM, "RUN npm ci --offline"),
    (NPM, "RUN --network=none npm ci"),
    (NPM, 'CMD ["npx", "serve"]'),
    (NPM, 'CMD ["cat", "/root/.npm/_cacache/a"]'),
    (NPM, "COPY --from=build /root /root"),
    (NPM, "COPY --from=build /root/.npm/_cacache /c"),
    (NPM, "RUN --mount=type=bind,from=build,source=/root/.npm,target=/c cp -r /c /o"),
    (APT, "RUN dpkg -i /var/cache/apt/archives/bc_*.deb"),
    (APT, "RUN cd /var/cache/apt/archives && dpkg -i *.deb"),
    (GO, 'CMD ["go", "run", "."]'),
    (MAVEN, "RUN mvn -q -o test"),
])  # fmt: skip
def test_files_that_a_later_step_needs(made: Made, later: str) -> None:
    assert targets(made) != []
    entries = () if later.startswith("CMD") else (OTHER,)
    assert targets(made, step(later, *entries)) == []


@pytest.mark.parametrize(("made", "later"), [
    (NPM, "RUN chown -R app /root && ls /root/.npm"),
    (NPM, "RUN cp -r /app/src $OUT/x && ./configure && cd $(mktemp -d) && make"),
    (NPM, 'CMD ["npm", "start"]'),
    (NPM, "COPY --from=build /app /app"),
    (APT, 'RUN arch=$(dpkg --print-architecture) && curl -fsSL "https://x/$arch" -o /bin/x && rm $T/*'),
    (GO, 'CMD ["/bin/x"]'),
    (MAVEN, 'CMD ["java", "-jar", "app.jar"]'),
])  # fmt: skip
def test_later_steps_that_need_nothing_of_it(made: Made, later: str) -> None:
    entries = () if later.startswith("CMD") else (OTHER,)
    assert targets(made, step(later, *entries)) != []


def test_files_that_the_same_run_takes() -> None:
    text = "RUN npm install ms && cp -r /root/.npm/_cacache /opt/offline"
    assert targets(step(text, file(b"root/.npm/_cacache/a", b"x" * 20000))) == []


def test_what_maven_installs_for_a_later_step() -> None:
    jar = file(b"root/.m2/repository/a.jar", b"x" * 20000)
    install, package = step("RUN mvn -q clean install", jar), step("RUN mvn -f b package", file(b"b", b"b"))
    assert targets(install, package) == []
    assert targets(package, install) != []
    resolve = step("RUN mvn dependency:go-offline install:help", jar)
    assert len(targets(resolve, package)) == 2


def test_links_into_a_cache() -> None:
    link = step("RUN bazel build", file(b"root/.cache/bazel/o", b"x" * 20000), directory(b"app"),
                symlink(b"app/bazel-bin", b"/root/.cache/bazel"))  # fmt: skip
    assert targets(link) == []
    yarn = (file(b"root/.yarn/berry/cache/a.zip", b"x" * 20000),)
    assert targets(step("RUN yarn install", *yarn)) == ["/root/.yarn/berry/cache"]
    assert targets(step("RUN yarn install", *yarn, file(b"app/.pnp.cjs", b"x"))) == []


def test_a_cache_that_is_emptied_by_its_place_below_the_home() -> None:
    gone = file(b"root/.npm/_cacache/.wh.a")
    for word in ("~/.npm/_cacache", "$HOME/.npm/*", "${HOME}/.npm/_cacache/a", "/root/.npm/_cacache"):
        assert targets(NPM, step(f"RUN npm ci && rm -rf {word}", gone)) == ["/root/.npm"] * 2
    path = b"home/me/.npm/a"
    mine = step("RUN npm ci && rm -rf ~/.npm/b", file(path, b"x"))
    assert targets(("USER me", ()), mine) == ["/home/me/.npm"]


def given(pair: str, *steps: Made) -> list[str]:
    """As `targets`, for an image with a variable."""
    made = waste(("FROM a", ()), ("WORKDIR /app", ()), *steps)
    config = made.image.config
    document = json.loads(config.raw) | {"config": {"Env": ["PATH=/bin", pair], "WorkingDir": "/app"}}
    made.image = replace(made.image, config=parse(json.dumps(document).encode()))
    edits = [edit for advice in caches(made) for edit in advice.edits]
    return [edit.flag.split("target=")[1] for edit in edits if isinstance(edit, AddFlag)]


@pytest.mark.parametrize(("pair", "command", "path", "found"), [
    ("PIP_CACHE_DIR=/var/cache/pip", "pip install a", b"var/cache/pip/a", "/var/cache/pip"),
    ("npm_config_cache=/opt/npm", "npm ci", b"opt/npm/a", "/opt/npm"),
    ("YARN_CACHE_FOLDER=/opt/yarn/", "yarn install", b"opt/yarn/v6/a", "/opt/yarn"),
    ("GOCACHE=/gocache", "go build .", b"gocache/a", "/gocache"),
    ("GOMODCACHE=/gomod", "go build .", b"gomod/a", "/gomod"),
    ("GOPATH=/work/go", "go build .", b"work/go/pkg/mod/a", "/work/go/pkg/mod"),
    ("GOPATH=/work/go", "go build .", b"work/go/bin/a", None),
    ("GOPATH=/go", "go build .", b"go/pkg/mod/a", "/go/pkg/mod"),
    ("PIP_CACHE_DIR=/root/.cache/pip", "pip install a", b"root/.cache/pip/a", "/root/.cache/pip"),
    ("CARGO_HOME=/opt/cargo", "cargo build", b"opt/cargo/registry/a", "/opt/cargo/registry"),
    ("GRADLE_USER_HOME=/opt/g", "gradle build", b"opt/g/caches/a", "/opt/g/caches"),
    ("COMPOSER_HOME=/opt/c", "composer install", b"opt/c/cache/a", "/opt/c/cache"),
    ("COMPOSER_CACHE_DIR=/opt/c", "composer install", b"opt/c/a", "/opt/c"),
    ("PIP_CACHE_DIR=/tmp", "pip install a", b"tmp/a", None),
    ("PIP_CACHE_DIR=/app", "pip install a", b"app/a", None),
    ("PIP_CACHE_DIR=/app/..", "pip install a", b"a", None),
    ("PIP_CACHE_DIR=cache", "pip install a", b"app/cache/a", None),
    ("PIP_CACHE_DIR=/opt/a b", "pip install a", b"opt/a b/a", None),
])  # fmt: skip
def test_caches_whose_place_a_variable_gives(pair: str, command: str, path: bytes, found: str | None) -> None:
    assert given(pair, step(f"RUN {command}", file(path, b"x"))) == ([found] if found else [])
