"""Instructions as histories tell them, made such as a builder takes."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.analysis.rewording import reworded

CONFIG = {
    "Env": ["PATH=/bin", "A=x y=z", "B=hello world", 'C=say "hi" $HOME', "D=1"],
    "Labels": {"m": "My App", "n": "1"},
    "Healthcheck": {"Test": ["CMD-SHELL", "curl -f x || exit 1"], "Interval": 5_000_000_000, "Retries": 2},
}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('CMD ["nginx" "-g" "daemon off;"]', 'CMD ["nginx", "-g", "daemon off;"]'),
        ('CMD ["x"]', 'CMD ["x"]'),
        ('CMD ["x","y z"]', 'CMD ["x","y z"]'),
        ('CMD ["say \\"a\\" b" "c"]', 'CMD ["say \\"a\\" b", "c"]'),
        ("CMD echo hi", "CMD echo hi"),
        ("SHELL [/bin/bash -c]", 'SHELL ["/bin/bash", "-c"]'),
        ("VOLUME [/a /b]", 'VOLUME ["/a", "/b"]'),
        ("EXPOSE [80/tcp 90/udp]", "EXPOSE 80/tcp 90/udp"),
        ("EXPOSE map[80/tcp:{} 90/udp:{}]", "EXPOSE 80/tcp 90/udp"),
        ("ENV A=x y=z B=hello world", 'ENV A="x y=z" B="hello world"'),
        ('ENV C=say "hi" $HOME', 'ENV C="say \\"hi\\" \\$HOME"'),
        ("ENV E=old words F=2", 'ENV E="old words" F=2'),
        ("ENV A 1", "ENV A 1"),
        ("LABEL m=My App n=1", 'LABEL m="My App" n=1'),
        ("HEALTHCHECK {Test:[CMD-SHELL x]}", "HEALTHCHECK --interval=5s --retries=2 CMD curl -f x || exit 1"),
        ("HEALTHCHECK NONE", "HEALTHCHECK NONE"),
        ("COPY <<EOT /here.txt", "# COPY <<EOT /here.txt"),
        ("RUN echo one\necho EOF\nEOF", "RUN <<EOFF\necho one\necho EOF\nEOF\nEOFF"),
        ("RUN a && \\\n  b", "RUN a && \\\n  b"),
        ("USER me", "USER me"),
    ],
)
def test_an_instruction(told: str, said: str) -> None:
    assert reworded(told, CONFIG) == said


@pytest.mark.parametrize("config", [{}, {"Healthcheck": None}])
def test_a_check_that_no_config_tells_is_a_comment(config: dict[str, Any]) -> None:
    assert reworded('HEALTHCHECK &{["CMD" "x"] "5s"}', config) == '# HEALTHCHECK &{["CMD" "x"] "5s"}'
