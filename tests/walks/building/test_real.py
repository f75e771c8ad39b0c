"""Images as people build them, and that they run; packages are fetched beforehand, and served here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.walks.building import wares
from tests.walks.building.context import File, Files, write
from tests.walks.building.image import Image, read_archive

from millefeuille.testing.debian import PackagesMissing
from millefeuille.testing.images import MadeImage, write_docker_archive
from millefeuille.testing.servers import ServerMissing, program

pytestmark = pytest.mark.walk


@dataclass
class Shop:
    """A store, and a directory for contexts and archives."""

    directory: Path

    def mille(self, *words: str, code: int = 0) -> str:
        """What a command printed."""
        store = str(self.directory / "store")
        command = [sys.executable, "-I", "-m", "millefeuille", "--root", store, *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def load(self, image: MadeImage, name: str) -> None:
        archive = self.directory / "base.tar"
        write_docker_archive(image, archive, name)
        self.mille("load", "-i", str(archive))

    def build(self, tag: str, dockerfile: str, files: Files, *options: str) -> None:
        context = self.directory / "contexts" / tag
        shutil.rmtree(context, ignore_errors=True)
        write(context, {"Dockerfile": dockerfile.removeprefix("\n"), **files})
        self.mille("build", "-t", tag, *options, str(context))

    def saved(self, tag: str) -> Image:
        archive = self.directory / f"{tag}.tar"
        self.mille("save", "-o", str(archive), tag)
        return read_archive(archive)

    def run(self, *words: str) -> str:
        return self.mille("run", "--rm", "--network", "none", *words)


@pytest.fixture
def shop(containers: None, tmp_path: Path) -> Iterator[Shop]:
    yield Shop(tmp_path)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    (tmp_path / "served").mkdir()
    with wares.served(tmp_path / "served") as url:
        yield tmp_path / "served", url


def test_a_static_binary_from_scratch(shop: Shop) -> None:
    try:
        binary = Path(program("busybox")).read_bytes()
    except ServerMissing as missing:
        pytest.skip(str(missing))
    files: Files = {"busybox": File(binary, mode=0o755), "index.html": "<h1>hello</h1>\n"}
    shop.build("static", """
FROM scratch
COPY busybox /bin/
COPY index.html /www/
USER 65534:65534
WORKDIR /www
ENTRYPOINT ["/bin/busybox"]
CMD ["cat", "index.html"]
""", files)
    assert shop.run("static") == "<h1>hello</h1>\n"
    assert shop.run("static", "id", "-u") == "65534\n"
    assert set(shop.saved("static").tree) == {"bin", "bin/busybox", "www", "www/index.html"}


def test_an_image_of_127_layers(shop: Shop, busybox: MadeImage) -> None:
    shop.load(busybox, "busybox:1")
    steps = [f"COPY <<EOF /l/{n}\n{n}\nEOF" for n in range(124)]
    runs = ("RUN rm /l/7 && echo new > /l/8", "RUN cat /l/* > /all")
    dockerfile = "\n".join(["FROM busybox:1", *steps, *runs, ""])
    shop.build("deep", dockerfile, {}, "--network", "none")
    assert shop.saved("deep").layers == 127
    script = "ls /l | wc -l; cat /l/8 /l/123; wc -l < /all"
    assert shop.run("deep", "sh", "-c", script) == "123\nnew\n123\n123\n"


def test_the_networks_of_commands(shop: Shop, busybox: MadeImage) -> None:
    shop.load(busybox, "busybox:1")
    shop.build("hosts", "FROM busybox:1\nRUN ls /sys/class/net > /net\n", {}, "--network", "host")
    assert set(shop.run("hosts", "cat", "/net").split()) == set(os.listdir("/sys/class/net"))
    write(shop.directory / "asks", {"Dockerfile": "FROM busybox:1\nRUN --network=host true\n"})
    for words, code in (((), 1), (("--network", "none"), 1), (("--allow", "network.host"), 0)):
        shop.mille("build", *words, str(shop.directory / "asks"), code=code)


def test_what_a_build_was_allowed_goes_for_its_shell_too(shop: Shop, busybox: MadeImage) -> None:
    shop.load(busybox, "busybox:1")
    text = "FROM busybox:1\nRUN --network=host echo left > /x; false\n"
    write(shop.directory / "fails", {"Dockerfile": text})
    shop.mille("build", "--allow", "network.host", str(shop.directory / "fails"), code=1)
    [record] = shop.directory.glob("store/**/kept/*.json")
    assert shop.mille("build", "debug", record.stem, "cat", "/x") == "left\n"


@pytest.mark.long
def test_debian_with_nginx(
    shop: Shop, served: tuple[Path, str], image_cache: Path, tmp_path: Path, all_cases: bool
) -> None:
    if not all_cases:
        pytest.skip("MILLE_ALL is not set")
    directory, url = served
    try:
        shop.load(wares.debian_with_apt(image_cache, tmp_path), "debian:test")
        wares.apt_repository(directory / "debian", image_cache, ["nginx"])
    except (PackagesMissing, ServerMissing) as missing:
        pytest.skip(str(missing))
    files = {
        "site.conf": "server { listen 127.0.0.1:80; root /srv/www; }\n",
        "www/index.html": "<h1>baked</h1>\n",
    }
    shop.build("web", f"""
FROM debian:test
ARG DEBIAN_FRONTEND=noninteractive
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=tmpfs,target=/var/lib/apt/lists \\
    rm -f /etc/apt/sources.list.d/* && echo 'deb [trusted=yes] {url}/debian ./' > /etc/apt/sources.list && \\
    apt-get update && apt-get install -y --no-install-recommends nginx && \\
    rm -f /etc/nginx/sites-enabled/default
COPY site.conf /etc/nginx/conf.d/
COPY --chown=www-data:www-data www /srv/www
EXPOSE 80
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=30s CMD bash -c '</dev/tcp/127.0.0.1/80'
CMD ["nginx", "-g", "daemon off;"]
""", files, "--network", "host")
    assert "install ok installed" in shop.run("web", "dpkg-query", "-s", "nginx")
    fetch = "nginx && exec 3<>/dev/tcp/127.0.0.1/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
    assert "<h1>baked</h1>" in shop.run("web", "bash", "-c", fetch)
    tree = shop.saved("web").tree
    assert tree["srv/www/index.html"].uid == 33
    assert not [path for path in tree if path.endswith(".deb") or path.startswith("var/lib/apt/lists/_")]


@pytest.mark.long
def test_a_python_application(
    shop: Shop, served: tuple[Path, str], image_cache: Path, all_cases: bool
) -> None:
    if not all_cases:
        pytest.skip("MILLE_ALL is not set")
    directory, url = served
    try:
        shop.load(wares.debian(image_cache, "python", "python3", "python3-pip"), "python:test")
        wares.wheels(directory / "wheels", image_cache)
    except (PackagesMissing, ServerMissing) as missing:
        pytest.skip(str(missing))
    dockerfile = f"""
FROM python:test
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip ls -A /root/.cache/pip | wc -l > /before && \\
    pip install --break-system-packages --no-index --find-links {url}/wheels/ -r requirements.txt
COPY . .
RUN useradd app 2>/dev/null || echo app:x:1000:1000::/app:/bin/sh >> /etc/passwd
USER app
ENV PYTHONDONTWRITEBYTECODE=1
CMD ["python3", "main.py"]
"""
    main = (
        "import flask\napp = flask.Flask('app')\napp.get('/')(lambda: 'hello')\n"
        "print(app.test_client().get('/').text)\n"
    )
    files = {"requirements.txt": "flask==3.0.3\n", "main.py": main}
    shop.build("app", dockerfile, files, "--network", "host")
    assert shop.run("app") == "hello\n"
    again = {**files, "main.py": main.replace("'hello'", "'again'")}
    shop.build("app", dockerfile, again, "--network", "host")
    assert shop.run("app") == "again\n"
    tree = shop.saved("app").tree
    assert tree["before"].text == b"0\n"
    assert not [path for path in tree if path.startswith("root/.cache/")]


@pytest.mark.long
def test_a_node_application_in_two_stages(
    shop: Shop, served: tuple[Path, str], image_cache: Path, all_cases: bool
) -> None:
    if not all_cases:
        pytest.skip("MILLE_ALL is not set")
    directory, url = served
    try:
        shop.load(wares.debian(image_cache, "node", "nodejs"), "nodejs:test")
        wares.npm_registry(directory / "npm", image_cache, url)
    except (PackagesMissing, ServerMissing) as missing:
        pytest.skip(str(missing))
    files = {
        "package.json": '{"name": "app", "version": "1.0.0", "dependencies": {"chalk": "^4.0.0"}}\n',
        "src/main.js": "const chalk = require('chalk'); console.log(chalk.bold.red('hello'))\n",
        ".dockerignore": "node_modules\n",
        "node_modules/stale.js": "old\n",
    }
    shop.build("node", f"""
FROM nodejs:test AS build
ADD --unpack=true {url}/npm/npm-10.8.2.tgz /opt/
WORKDIR /src
COPY package.json ./
RUN --mount=type=cache,target=/root/.npm \\
    node /opt/package/bin/npm-cli.js install --no-audit --no-fund --registry {url}/npm/
COPY . .
RUN mkdir /dist && cp -r node_modules package.json src /dist/

FROM nodejs:test
ENV NODE_ENV=production FORCE_COLOR=1
WORKDIR /app
COPY --from=build --chown=1000:1000 /dist .
USER 1000
CMD ["node", "src/main.js"]
""", files, "--network", "host")
    assert shop.run("node") == "\x1b[1m\x1b[31mhello\x1b[39m\x1b[22m\n"
    tree = shop.saved("node").tree
    assert "app/node_modules/color-convert/package.json" in tree
    assert "src" not in tree and "app/node_modules/stale.js" not in tree
