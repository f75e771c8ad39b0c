"""Package URLs: a package's name for those who look up what is known of it.

Source: package-url specification, PURL-SPECIFICATION and PURL-TYPES.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from millefeuille.packages.package import APK, DEB, GO, NPM, PYPI, RPM, Package


def purl(package: Package, system: Mapping[str, str]) -> str:
    """The URL of a package of the distribution that the os-release fields `system` name."""
    namespace, name, version = "", package.name, package.version
    qualifiers = {}
    if package.kind in (DEB, APK, RPM):
        namespace = system.get("ID", "") or {DEB: "debian", APK: "alpine", RPM: "rpm"}[package.kind]
        qualifiers["arch"] = package.architecture
        if system.get("ID") and system.get("VERSION_ID"):
            qualifiers["distro"] = f"{system['ID']}-{system['VERSION_ID']}"
        if package.kind == RPM and ":" in version:
            qualifiers["epoch"], _, version = version.partition(":")
        if package.source and package.kind != RPM:
            qualifiers["upstream"] = package.source
    elif package.kind == PYPI:
        name = name.lower().replace("_", "-")
    elif package.kind == GO:
        namespace, _, name = name.lower().rpartition("/")
    elif package.kind == NPM and name.startswith("@"):
        namespace, _, name = name.lower().partition("/")
    # Only of Go's modules the namespace has parts of its own; npm's `@scope` has no slash.
    path = "/".join(quote(part, safe="") for part in (*namespace.split("/"), name) if part)
    asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(qualifiers.items()) if value)
    return f"pkg:{package.kind}/{path}@{quote(version, safe='')}" + (f"?{asked}" if asked else "")
