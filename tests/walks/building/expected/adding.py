"""ADD with the flags of newer frontends, and from URLs: the context's files are served on the loopback."""

import hashlib

from tests.walks.building.archives import folder, tar
from tests.walks.building.context import Files
from tests.walks.building.expectation import Expected

ARCHIVE = tar({"p": folder(0o750, (5, 6)), "p/f": "in"}, pack="gz")
FILES: Files = {
    "a.tar.gz": ARCHIVE, "served/f.txt": "text", "served/a.tar.gz": ARCHIVE, ".dockerignore": "served",
}  # fmt: skip
UNPACKED = """
d 755 0:0 /x
d 750 5:6 /x/p
f 644 5:6 /x/p/f "in"
"""


def checksum(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


CASES = [
    Expected(name="add-unpack-is-the-default", files=FILES, tree=UNPACKED, dockerfile="""
FROM scratch
ADD a.tar.gz /x/
"""),
    Expected(name="add-unpack-true", files=FILES, tree=UNPACKED, dockerfile="""
FROM scratch
ADD --unpack=true a.tar.gz /x/
"""),
    Expected(name="add-unpack-false", files={"a.tar": tar({"f": "1"})[:1024], "b": "2"}, dockerfile="""
FROM base:1
ADD --unpack=false a.tar /x/
RUN wc -c < /x/a.tar > /size && rm -r /x
""", tree="""
f 644 0:0 /size "1024\\n"
"""),
    Expected(name="add-unpack-with-owner-and-mode", files=FILES, dockerfile="""
FROM scratch
ADD --chown=7:8 a.tar.gz /x/
""", tree="""
d 755 7:8 /x
d 750 7:8 /x/p
f 644 7:8 /x/p/f "in"
"""),
    Expected(name="add-url", files=FILES, dockerfile="""
FROM scratch
ADD {url}/served/f.txt /1
ADD {url}/served/f.txt /d/
ADD --chmod=640 --chown=5:6 {url}/served/f.txt /2
""", tree="""
f 600 0:0 /1 "text"
f 640 5:6 /2 "text"
d 755 0:0 /d
f 600 0:0 /d/f.txt "text"
"""),
    Expected(name="add-url-of-archive-stays", files=FILES, dockerfile="""
FROM base:1
ADD {url}/served/a.tar.gz /x/
RUN tar tzf /x/a.tar.gz > /list && rm -r /x
""", tree="""
f 644 0:0 /list "p/\\np/f\\n"
"""),
    Expected(name="add-url-unpacked", files=FILES, tree=UNPACKED, dockerfile="""
FROM scratch
ADD --unpack=true {url}/served/a.tar.gz /x/
"""),
    Expected(name="add-url-with-checksum", files=FILES, dockerfile=f"""
FROM scratch
ARG SUM={checksum(b"text")}
ADD --checksum=$SUM {{url}}/served/f.txt /1
""", tree="""
f 600 0:0 /1 "text"
"""),
    Expected(name="add-url-with-wrong-checksum", files=FILES, fails="digest mismatch", dockerfile=f"""
FROM scratch
ADD --checksum={checksum(b"other")} {{url}}/served/f.txt /1
"""),
    Expected(name="add-url-missing", files=FILES, fails="404", dockerfile="""
FROM scratch
ADD {url}/served/nosuch /1
"""),
    Expected(name="add-url-and-file", files={**FILES, "g": "local"}, dockerfile="""
FROM scratch
ADD g {url}/served/f.txt /d/
""", tree="""
d 755 0:0 /d
f 600 0:0 /d/f.txt "text"
f 644 0:0 /d/g "local"
"""),
    Expected(name="copy-of-url", files=FILES, fails="source can't be a URL for COPY", dockerfile="""
FROM scratch
COPY {url}/served/f.txt /1
"""),
]  # fmt: skip
