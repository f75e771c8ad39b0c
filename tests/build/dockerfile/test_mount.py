"""RUN --mount: its keys, defaults and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.mount import Mount, check_mount, mount_target, read_mount


def as_is(text: str) -> str:
    return text


READ: dict[str, dict[str, Any]] = {
    "target=/a": {"type": "bind", "target": "/a", "read_only": True},
    "type=bind,target=/a,source=b,from=c": {"type": "bind", "source": "b", "from_": "c", "target": "/a"},
    "type=bind,dst=/a,src=b": {"source": "b", "target": "/a"},
    "type=bind,destination=/a": {"target": "/a"},
    "TYPE=BIND,Target=/a": {"type": "bind", "target": "/a"},
    "target=/a,rw": {"read_only": False},
    "target=/a,readwrite": {"read_only": False},
    "target=/a,rw=false": {"read_only": True},
    "target=/a,ro": {"read_only": True},
    "target=/a,readonly=0": {"read_only": False},
    "target=/a,ro,rw": {"read_only": False},
    "type=cache,target=/a": {
        "type": "cache", "read_only": False, "sharing": "shared", "id": "", "mode": None,
    },
    "type=cache,target=/a,id=x,sharing=LOCKED,ro,mode=0700,uid=1,gid=2,from=b,source=/s": {
        "id": "x", "sharing": "locked", "read_only": True, "mode": 0o700, "uid": 1, "gid": 2, "from_": "b",
        "source": "/s",
    },
    "type=cache,target=/a,sharing=private": {"sharing": "private"},
    "type=tmpfs,target=/a": {"type": "tmpfs", "read_only": False, "size": 0},
    "type=tmpfs,target=/a,size=10": {"size": 10},
    "type=tmpfs,target=/a,size=2k": {"size": 2048},
    "type=tmpfs,target=/a,size=1.5M": {"size": 3 << 19},
    "type=tmpfs,target=/a,size=1GiB": {"size": 1 << 30},
    "type=secret,id=x": {"type": "secret", "id": "x", "target": "/run/secrets/x", "required": False},
    "type=secret,source=x": {"id": "x", "target": "/run/secrets/x", "source": ""},
    "type=secret,target=/a/b": {"id": "b", "target": "/a/b"},
    "type=secret,id=a/b": {"id": "a/b", "target": "/run/secrets/b"},
    "type=secret,id=x,env=X": {"id": "x", "env": "X", "target": ""},
    "type=secret,id=x,env=X,target=/a": {"env": "X", "target": "/a"},
    "type=secret,id=x,required,mode=0440": {"required": True, "mode": 0o440},
    "type=secret,id=x,required=false": {"required": False},
    "required,type=secret,id=x": {"required": True},
    "type=ssh": {"type": "ssh", "id": "default", "target": "", "mode": None},
    "type=ssh,id=x,target=/a,required=true,uid=0": {"id": "x", "target": "/a", "required": True, "uid": 0},
    '"target=/a,b"': {"target": "/a,b"},
    '"target=/a""b"': {"target": '/a"b'},
    "target=/a=b": {"target": "/a=b"},
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    mount = read_mount(text, as_is)
    assert {name: getattr(mount, name) for name in READ[text]} == READ[text]
    check_mount(text, "\\")


CSV = "failed to parse csv mounts: parse error on line 1, column 3:"
WRONG = {
    "": "failed to parse csv mounts: EOF",
    'a"b': 'failed to parse csv mounts: parse error on line 1, column 2: bare " in non-quoted field',
    '"a': f'{CSV} extraneous or missing " in quoted-field',
    '"a"b': f'{CSV} extraneous or missing " in quoted-field',
    "target": "invalid field 'target' must be a key=value pair",
    "target=/a,": "invalid field '' must be a key=value pair",
    "size": "invalid field 'size' must be a key=value pair",
    "type=foo": 'unsupported mount type "foo"',
    "type=": 'unsupported mount type ""',
    "target=/a,foo=b": "unexpected key 'foo' in 'foo=b'",
    "target=/a,Sorce=b": "unexpected key 'sorce' in 'Sorce=b'",
    "target=/a,ro=maybe": "invalid value for ro: maybe",
    "target=/a,rw=": "invalid value for rw: ",
    "target=/a,required": "unexpected key 'required' for mount type 'bind'",
    "type=cache,target=/a,required=true": "unexpected key 'required' for mount type 'cache'",
    "type=secret,id=a,required=x": "invalid value for required: x",
    "type=cache,target=/a,env=X": "unexpected key 'env' for mount type 'cache'",
    "target=/a,mode=0700": 'mode not allowed for "bind" type mounts',
    "type=tmpfs,target=/a,uid=1": 'uid not allowed for "tmpfs" type mounts',
    "target=/a,gid=1": 'gid not allowed for "bind" type mounts',
    "target=/a,sharing=shared": "invalid cache sharing set for bind mount",
    "type=cache,target=/a,sharing=some": 'unsupported sharing value "some"',
    "type=cache,target=/a,mode=9": "invalid value 9 for mode",
    "type=cache,target=/a,mode=": "invalid value  for mode",
    "type=cache,target=/a,uid=-1": "invalid value -1 for uid",
    "type=cache,target=/a,gid=4294967296": "invalid value 4294967296 for gid",
    "type=cache,target=/a,size=1": "unexpected key 'size' for mount type 'cache'",
    "type=tmpfs,target=/a,size=big": "invalid value for size: big",
    "type=tmpfs,target=/a,size=-1": "invalid value for size: -1",
    "type=secret": "invalid secret mount. one of source, target required",
    "type=secret,id=a,source=b": "both source and id can't be set",
    "type=secret,id=a,from=b": "secret mount should not have a from",
    "target=/a,from=$b": "'from' doesn't support variable expansion, define alias stage instead",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong(text: str) -> None:
    with pytest.raises(Complaint) as caught:
        read_mount(text, as_is)
    assert caught.value.message == WRONG[text]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("type=cahce,target=/a", "cache"),
        ("tpe=bind", "type"),
        ("type=cache,target=/a,sharing=lock", "locked"),
    ],
)
def test_suggestions(text: str, suggestion: str) -> None:
    with pytest.raises(Complaint) as caught:
        read_mount(text, as_is)
    assert caught.value.suggestion == suggestion


def test_values_are_expanded_but_that_of_from() -> None:
    mount = read_mount("type=cache,id=i,target=t,from=f", str.upper)
    assert (mount.id, mount.target, mount.from_, mount.type) == ("I", "T", "f", "cache")


def test_what_depends_on_variables_is_not_judged_early() -> None:
    check_mount("type=$x,target=$y,mode=$z", "\\")
    with pytest.raises(Complaint, match="define alias stage"):
        check_mount("type=$x,from=${y}", "\\")


@pytest.mark.parametrize(
    ("target", "workdir", "expected"),
    [
        ("/a/../b/", "/w", "/b"),
        ("a", "/w", "/w/a"),
        ("../../a", "/w", "/a"),
        ("a", "", "/a"),
        ("//a", "/", "/a"),
        ("", "/w", "/w"),
    ],
)
def test_target(target: str, workdir: str, expected: str) -> None:
    assert mount_target(Mount(target=target), workdir) == expected


@pytest.mark.parametrize("target", ["/", ".", "/a/..", "//", "../.."])
def test_the_root_is_no_target(target: str) -> None:
    with pytest.raises(Complaint, match="invalid mount target"):
        mount_target(Mount(target=target), "/")
