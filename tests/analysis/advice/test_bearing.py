"""What commands can do with a mount, and what with files of the image only."""

from __future__ import annotations

import pytest

from millefeuille.analysis.advice.bearing import bears


@pytest.mark.parametrize("text", [
    "mv /s/a.bin /t",
    "cd /s && mv a.bin /t && cd /",
    "gzip /s/a.bin && cp /s/a.bin.gz /o",
    "sed -i s/a/b/ /s/a.bin",
    "tar -xf /tmp/a.tar && mv a-1.0 /opt/a && ln -s /opt/a /opt/b",
    "mv a-$VERSION /opt && ln -sf a b",
    "mv /tmp/other.tar /x/a.tar/b",
    "gzip -dc /tmp/a.tar > /o && xz --keep /tmp/a.tar",
    "sed -e s/a/b/ /tmp/a.tar > /o",
    "mv /s/* /t",
    "mv it .",
])  # fmt: skip
def test_what_can_be_done_with_mounts(text: str) -> None:
    assert bears(text, ("/s", "/tmp/a.tar"))


@pytest.mark.parametrize("text", [
    "ln /s/a.bin /t",
    "cd /s && ln -f a.bin /t",
    "cp -al /s /t",
    "cp --link /s/a /t",
    "link /s/a /t",
    "mv /s /t",
    "true && mv \\\n  /tmp/a.tar /t",
    "cd /tmp && mv a.tar /t",
    "mv ../tmp/a.tar /t",
    "mv ./*.tar /t",
    "mv $DIRECTORY/a.tar /t",
    'for each in /tmp/*; do mv "$each" /t; done',
    "if true; then rm /tmp/a.tar; fi",
    "(cd tmp && gunzip -f a.tar)",
    "zstd --rm /tmp/a.tar",
    "sed -i.old s/a/b/ /tmp/a.tar",
    "perl -pi -e s/a/b/ /tmp/a.tar",
    "find /tmp -name 'a.*' -delete",
    "find /tmp -name 'a.*' -exec rm {} +",
    "ls /tmp | xargs rm",
    "/bin/rm -r /s",
])  # fmt: skip
def test_what_cannot_be_done_with_mounts(text: str) -> None:
    assert not bears(text, ("/s", "/tmp/a.tar"))
