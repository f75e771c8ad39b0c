"""SHA-256 of a few bytes, without loading OpenSSL, which takes longer than a short command has for it.

The interpreter has one of its own, which `hashlib` takes where there is no OpenSSL. For much data, that is
the slower one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256 as sha256
else:
    try:
        from _sha2 import sha256
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:  # an interpreter that was built without
            from hashlib import sha256

__all__ = ["sha256"]
