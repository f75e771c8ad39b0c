"""The rules for secrets: what each looks like, and in which files where its looks alone say too little."""

from __future__ import annotations

import re

from millefeuille.annotations import Final, NamedTuple


class Rule(NamedTuple):
    """A kind of secret: its name, its pattern with the secret as the group `s`, and the paths it is found in,
    None for all.
    """

    name: str
    pattern: re.Pattern[bytes]
    paths: re.Pattern[bytes] | None = None


def _rule(name: str, pattern: bytes, paths: bytes | None = None, flags: int = 0) -> Rule:
    return Rule(name, re.compile(pattern, flags), None if paths is None else re.compile(paths))


_ASSIGNED: Final = (
    rb"(?im)^[ \t]*(?:export[ \t]+)?[\"']?[\w.-]*(?:password|passwd|secret|token|api[_-]?key|private[_-]?key)"
    rb"[\w.-]*[\"']?[ \t]*[=:][ \t]*[\"']?(?P<s>[^\s\"'#${<][^\s\"']{5,})"
)

# Looked for in every file: prefixes that nothing else has.
EVERYWHERE: Final = (
    _rule(
        "private-key",
        rb"(?P<s>-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----"
        rb"(?:\\n|\s)+[A-Za-z0-9+/=:, \\\r\n-]{40,})",
    ),
    _rule("aws-access-key", rb"(?<![A-Za-z0-9])(?P<s>(?:AKIA|ASIA)[A-Z2-7]{16})(?![A-Za-z0-9])"),
    _rule(
        "aws-secret-key",
        rb"(?i:aws_?secret_?(?:access_?)?key)[\"']?\s*[=:]\s*[\"']?"
        rb"(?P<s>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    _rule(
        "github-token",
        rb"(?<![A-Za-z0-9_])(?P<s>gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{50,255})",
    ),
    _rule("gitlab-token", rb"(?<![A-Za-z0-9_])(?P<s>glpat-[A-Za-z0-9_-]{20,})"),
    _rule("slack-token", rb"(?<![A-Za-z0-9])(?P<s>xox[abprs]-[0-9]{8,}-[0-9A-Za-z-]{10,})"),
    _rule(
        "slack-webhook",
        rb"(?P<s>https://hooks\.slack\.com/services/T[A-Z0-9]{7,}/B[A-Z0-9]{7,}/[A-Za-z0-9]{20,})",
    ),
    _rule("stripe-key", rb"(?<![A-Za-z0-9_])(?P<s>[sr]k_live_[0-9A-Za-z]{20,})"),
    _rule("google-key", rb"(?<![A-Za-z0-9_-])(?P<s>AIza[0-9A-Za-z_-]{35})(?![0-9A-Za-z_-])"),
    _rule("npm-token", rb"(?<![A-Za-z0-9_])(?P<s>npm_[A-Za-z0-9]{36})(?![A-Za-z0-9])"),
    _rule("pypi-token", rb"(?P<s>pypi-AgEIcHlwaS[A-Za-z0-9_-]{40,})"),
    _rule("ai-key", rb"(?<![A-Za-z0-9_-])(?P<s>sk-(?:proj|ant)-[A-Za-z0-9_-]{24,})"),
    _rule(
        "jwt", rb"(?<![A-Za-z0-9_-])(?P<s>eyJ[A-Za-z0-9_-]{12,}\.eyJ[A-Za-z0-9_-]{12,}\.[A-Za-z0-9_-]{16,})"
    ),
)

# Looked for in files that hold such things.
IN_FILES: Final = (
    _rule(
        "docker-login",
        rb'"(?:auth|identitytoken)"\s*:\s*"(?P<s>[A-Za-z0-9+/=._-]{8,})"',
        rb"(^|/)(\.docker/config\.json|\.dockercfg|containers/auth\.json)$",
    ),
    _rule("netrc", rb"(?i)\bpassword\s+(?P<s>\S{3,})", rb"(^|/)[._]netrc$"),
    _rule("npm-login", rb"_(?:authToken|auth|password)\s*=\s*(?P<s>[^\s${][^\s]{7,})", rb"(^|/)\.npmrc$"),
    _rule(
        "url-password",
        rb"[a-z][a-z0-9+.-]*://[^\s:/@\"']*:(?P<s>[^\s/@${\"']{3,})@",
        rb"(^|/)(\.git-credentials|\.git/config|\.gitconfig|"
        rb"pip\.conf|\.pypirc|\.env[^/]*|\.condarc|sources\.list)$",
    ),
    _rule(
        "password",
        _ASSIGNED,
        rb"(^|/)(\.env(\.[^/]*)?|[^/]+\.env|\.aws/credentials|credentials|"
        rb"\.pypirc|\.my\.cnf|secrets?\.(ya?ml|json|toml|ini|properties))$",
    ),
    _rule("pgpass", rb"(?m)^[^#\s:][^\s:]*:[^\s:]*:[^\s:]*:[^\s:]*:(?P<s>\S{3,})$", rb"(^|/)\.pgpass$"),
    _rule("shadow-hash", rb"(?m)^[^:\s]+:(?P<s>\$[0-9a-z]+\$[^:\s]{8,}):", rb"(^|/)etc/(g?shadow|shadow-)$"),
    _rule(
        "htpasswd", rb"(?m)^[^:\s]+:(?P<s>(?:\$(?:apr1|2[aby]|[56])\$|\{SHA\})\S{8,})$", rb"(^|/)\.?htpasswd$"
    ),
    _rule(
        "kube-login",
        rb"(?:client-key-data|token|password):\s*(?P<s>[A-Za-z0-9+/=._-]{12,})",
        rb"(^|/)(\.kube/config|kubeconfig|kubelet\.conf)$",
    ),
)

# A variable of the config by its name.
VARIABLE: Final = re.compile(
    r"(?i)(password|passwd|secret|token|api_?key|private_?key|credentials?)(?!.*(_FILE|_PATH|_DIR|_URL)$)"
)
