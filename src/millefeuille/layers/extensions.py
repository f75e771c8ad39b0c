"""Headers that speak about the entry behind them: PAX (`x`, `g`), GNU long names (`L`, `K`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Final
from millefeuille.layers import pax, xattrs
from millefeuille.layers.entry import NO_XATTRS
from millefeuille.layers.header import BLOCK_SIZE, Header, owner_id
from millefeuille.layers.refusal import Limits, TarError
from millefeuille.layers.sparse import FrontMap, SparseMember, is_version_1, pax_runs
from millefeuille.values import dataclass

EXTENSION_TYPES: Final = frozenset((b"x", b"X", b"g", b"L", b"K"))
NOTHING_DROPPED: Final[Sequence[bytes]] = ()
# How the keys begin that hold extended attributes or say that a file is sparse.
_LARGER: Final = frozenset((b"SCHI", b"LIBA", b"GNU."))


@dataclass(slots=True, kw_only=True)  # not frozen: that takes longer, and one is made for each PAX entry
class Extended:
    """A header with its extensions laid over it. `start` is where in the tar the first of them begins."""

    header: Header
    start: int
    nsec: int
    xattrs: Mapping[bytes, bytes]
    dropped: Sequence[bytes]  # names of extended attributes that are not taken
    sparse: SparseMember | None


class Extensions:
    """Collects the extension headers before an entry; global ones stay for all entries that follow."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._globals: dict[bytes, bytes] = {}
        self._present = b""
        self._row = 0
        # Whether the next entry cannot be taken as its own header says. A field, for it is asked every time.
        self.apply_needed = False
        self._forget()

    def _forget(self) -> None:
        self.apply_needed = bool(self._globals)
        self._start = 0
        self._local: dict[bytes, list[tuple[bytes, bytes]]] = {}
        self._long: dict[bytes, bytes] = {}

    @property
    def waiting(self) -> bool:
        """Whether an entry must follow."""
        return bool(self._local or self._long)

    def begin(self, header: Header, start: int) -> int:
        """An extension header stands at `start`; the size of its data in bytes. Raises TarError."""
        kind = b"x" if header.kind == b"X" else header.kind
        if kind in self._local or kind in self._long:
            raise TarError("extension", "an entry has two extension headers of one type")
        if kind == b"g" and self.waiting:
            raise TarError("extension", "a global header stands between an entry and its own")
        self._row += 1
        if self._row > self._limits.extensions:
            raise TarError("extension", f"more than {self._limits.extensions} extension headers in a row")
        if header.size > self._limits.extension:
            raise TarError("extension", f"an extension header has {header.size} bytes")
        if not self.waiting:
            self._start = start
        self._present = kind
        return header.size

    def complete(self, data: bytes) -> None:
        """The data of the extension header that began last. Raises TarError."""
        self.apply_needed = True
        if self._present == b"g":
            self._globals.update(pax.records(data))
            self._globals = {key: value for key, value in self._globals.items() if value}
        elif self._present == b"x":
            self._local[b"x"] = pax.records(data)
        else:
            name = data.rstrip(b"\0")
            if not name or b"\0" in name:
                raise TarError("extension", "a GNU long name is empty or has a NUL in it")
            self._long[self._present] = name

    def apply(self, header: Header, at: int) -> Extended:
        """Lay the extensions over the entry whose header stands at `at`. Raises TarError."""
        start = self._start if self.waiting else at
        local = self._local.get(b"x", [])
        records = [*self._globals.items(), *local] if self._globals else local
        named = {key: value for key, value in dict(records).items() if value}
        kept, dropped, sparse = NO_XATTRS, NOTHING_DROPPED, None
        if any(key[:4] in _LARGER for key, _ in records):
            kept, dropped = xattrs.from_records(records, self._limits)
            sparse = self._sparse(header, local, named)
        mtime, nsec = pax.time(named[b"mtime"]) if b"mtime" in named else (header.mtime, 0)
        laid_over = Header(
            named.get(b"GNU.sparse.name") or self._text(b"L", b"path", named) or header.name,
            header.mode,
            self._owner(named, b"uid", header.uid),
            self._owner(named, b"gid", header.gid),
            pax.integer(named[b"size"], "size") if b"size" in named else header.size,
            mtime,
            header.kind,
            self._text(b"K", b"linkpath", named) or header.link,
            header.device,
            header.gnu,
        )
        self._forget()
        self._row = 0
        return Extended(header=laid_over, start=start, nsec=nsec, xattrs=kept, dropped=dropped, sparse=sparse)

    def _text(self, kind: bytes, key: bytes, named: Mapping[bytes, bytes]) -> bytes | None:
        long, text = self._long.get(kind), named.get(key)
        if long is not None and text is not None and long != text:
            raise TarError("extension", "a PAX header and a GNU long name contradict each other", long)
        return long or text

    @staticmethod
    def _owner(named: Mapping[bytes, bytes], key: bytes, otherwise: int) -> int:
        if key not in named:
            return otherwise
        return owner_id(pax.integer(named[key], key.decode()), key.decode())

    def _sparse(
        self, header: Header, local: list[tuple[bytes, bytes]], named: Mapping[bytes, bytes]
    ) -> SparseMember | None:
        """What PAX records say about the runs of a sparse file, if it is one."""
        runs = pax_runs(local)
        front = is_version_1(named)
        if runs is None and not front:
            if b"GNU.sparse.major" in named or b"GNU.sparse.size" in named:
                raise TarError("sparse", "a sparse file has no map, or one of an unknown format")
            return None
        if header.kind not in (b"0", b"\0"):
            raise TarError("sparse", "an entry is sparse, but no regular file")
        real = named.get(b"GNU.sparse.realsize") or named.get(b"GNU.sparse.size")
        if real is None:
            raise TarError("sparse", "a sparse file lacks its real size")
        return SparseMember(
            size=pax.integer(real, "real size"),
            numbers=runs or [],
            map_reader=FrontMap(self._limits) if front else None,
            block_size=BLOCK_SIZE if front else 0,
        )
