"""Common ground: what two images waste, measured above one base, so that the numbers can be compared.

Each image is analysed above the deepest base that is known of it; and an earlier version of the same image,
or the image it is compared with, is a base like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile

from millefeuille.analysis.schema import Document
from millefeuille.annotations import Any


def on_common_ground(found: Document, before: Document) -> tuple[Document, Document]:
    """The two documents, with `avoidableBytes` and `inheritedBytes` as above the lower one of their bases if
    they share layers; images that share none keep each its own. The waste listed is as it was.
    """
    pairs = zip(found["layers"], before["layers"], strict=False)
    if not any(True for _ in takewhile(lambda pair: pair[0]["diffId"] == pair[1]["diffId"], pairs)):
        return found, before
    base = min(one["image"]["base"]["layers"] for one in (found, before))
    return _above(found, base), _above(before, base)


def _above(document: Document, base: int) -> Document:
    if document["image"]["base"]["layers"] == base:
        return document
    exact: Mapping[str, Any] = document["score"]["exact"]
    avoidable = sum(item["sizeBytes"] for item in document["waste"] if item["writer"] >= base)
    inherited = exact["shadowedBytes"] - avoidable
    score = {**exact, "avoidableBytes": avoidable, "inheritedBytes": inherited}
    return {**document, "score": {**document["score"], "exact": score}}
