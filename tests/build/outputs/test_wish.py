"""`--output` is read as buildx reads it; what is not done is said, not passed over."""

from __future__ import annotations

import pytest

from millefeuille.build.outputs.annotation import Annotation
from millefeuille.build.outputs.wish import BadOutputWish, OutputWish, UnsupportedOutput, parse_output
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.transfer.packing import BadPacking, Packing


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("out", OutputWish(kind="local", destination="out")),
        ("-", OutputWish(kind="tar", destination="-")),
        ("type=local,dest=out", OutputWish(kind="local", destination="out")),
        ("type=local,dest=out,platform-split=false",
         OutputWish(kind="local", destination="out", platform_split=False)),
        ("type=tar", OutputWish(kind="tar", destination="-")),
        ("type=tar,dest=a.tar", OutputWish(kind="tar", destination="a.tar")),
        ("type=oci,dest=a.tar", OutputWish(kind="oci", destination="a.tar")),
        ("type=oci,dest=dir,tar=false", OutputWish(kind="oci", destination="dir", layout=True)),
        ("type=docker", OutputWish(kind="image")),
        ("type=docker,dest=-", OutputWish(kind="docker", destination="-")),
        ("type=image", OutputWish(kind="image")),
        ("type=image,push=true", OutputWish(kind="image", push=True)),
        ('type=registry,"name=a,b:2"',
         OutputWish(kind="image", push=True, names=(Reference.parse("a:latest"), Reference.parse("b:2")))),
        ("type=image,compression=zstd,compression-level=9,force-compression=true",
         OutputWish(kind="image", packing=Packing("zstd", 9, True))),
        ("type=image,oci-mediatypes=0,rewrite-timestamp=true", OutputWish(kind="image", oci_types=False)),
        ("type=local,dest=out,mode=copy", OutputWish(kind="local", destination="out")),
        ("type=image,name=a,push-by-digest=1,name-canonical=1,push=1",
         OutputWish(kind="image", push=True, by_digest=True, names=(Reference.parse("a:latest"),))),
        ("type=cacheonly", OutputWish(kind="cacheonly")),
        ("type=image,annotation.A.b=1,annotation-index[linux/arm64].c=2",
         OutputWish(kind="image", annotations=(
             Annotation(level="manifest", platform=None, key="A.b", value="1"),
             Annotation(level="index", platform=Platform.parse("linux/arm64"), key="c", value="2")))),
    ],
)  # fmt: skip
def test_outputs_are_read(text: str, wish: OutputWish) -> None:
    assert parse_output(text) == wish


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", BadOutputWish, "empty"),
        ("dest=out", BadOutputWish, "type is required for output"),
        ("type=local,dest", BadOutputWish, "invalid value dest"),
        ("type=zip,dest=x", BadOutputWish, 'unknown output type "zip"'),
        ("type=local", BadOutputWish, "dest is required for local exporter"),
        ("type=local,dest=-", BadOutputWish, "dest cannot be stdout for local exporter"),
        ("type=oci,tar=false", BadOutputWish, "dest is required for oci directory exporter"),
        ("type=docker,tar=false", BadOutputWish, "dest is required for docker directory exporter"),
        ("type=image,dest=x", BadOutputWish, 'unknown key "dest"'),
        ("type=image,pusch=true", BadOutputWish, 'unknown key "pusch"'),
        ("type=local,dest=x,annotation.a=b", BadOutputWish, 'unknown key "annotation.a"'),
        ("type=image,push=yes", BadOutputWish, "neither true nor false"),
        ("type=image,compression-level=x", BadOutputWish, "no number"),
        ("type=image,compression=estargz", BadPacking, "unsupported layer compression type estargz"),
        ("type=image,compression=gzip,compression-level=10", BadPacking, "no compression level 10"),
        ("type=image,name=a:1,push-by-digest=true", BadOutputWish,
         "can't push tagged ref docker.io/library/a:1 by digest"),
        ("type=image,unpack=true", UnsupportedOutput, "unpack is not supported"),
        ("type=local,dest=x,mode=delete", UnsupportedOutput, "mode=delete is not supported"),
        ("type=image,store=false", UnsupportedOutput, "store=false"),
        ("type=image,rewrite-timestamp=false", UnsupportedOutput, "rewrite-timestamp=false"),
        ('type=local,"dest=x', BadOutputWish, "invalid output"),
    ],
)
def test_what_cannot_be_done_is_said(text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        parse_output(text)
