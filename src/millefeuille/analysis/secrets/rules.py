"""The rules for secrets: what each looks like, and in which files where its looks alone say too little."""

from __future__ import annotations

import re

from millefeuille.annotations import Final, NamedTuple


class Rule(NamedTuple):
    """A kind of secret: its name, its pattern with the secret as the group `s` (and the part of it that tells
    an example as `b`, where that is not all of it), and where it is looked for:
    in files that hold one of the `hints` and have one of the `paths`, in all where there are none. What is in
    the config has the path "".
    """

    name: str
    pattern: re.Pattern[bytes]
    hints: tuple[bytes, ...] = ()
    paths: re.Pattern[bytes] | None = None


def _rule(name: str, hints: str, pattern: bytes, *, paths: bytes = b"") -> Rule:
    words = tuple(hint.encode() for hint in hints.split("|") if hint)
    return Rule(name, re.compile(pattern), words, re.compile(paths) if paths else None)


def _token(name: str, hints: str, pattern: bytes, *, paths: bytes = b"") -> Rule:
    """A secret that stands alone: no letter or digit goes before it or comes behind it."""
    return _rule(name, hints, rb"(?<![A-Za-z0-9_-])(?P<s>" + pattern + rb")(?![A-Za-z0-9_])", paths=paths)


# What is repeated on both sides of something is bounded: a long line would take its length squared.
_NAME: Final = (
    rb"[\w.-]{0,80}(?:password|passwd|secret|token|api[_-]?key|private[_-]?key|account[_-]?key)[\w.-]{0,80}"
)
# Names of what leads to a secret are no names of one; an item of a YAML list may be an assignment.
_BEFORE: Final = (
    rb"(?im)^[ \t]*(?:-[ \t]+)?(?:export[ \t]+)?[\"']?(?![\w.-]{0,200}(?:file|path|dir|url)[\"']?[ \t]*[=:])"
    + _NAME + rb"[\"']?[ \t]*(?:=>?|:)[ \t]*"
)  # fmt: skip
# Of a file whose kind says little, only what looks made: letters and digits.
_MADE: Final = rb"(?=[^\s\"']{0,200}[0-9])(?=[^\s\"']{0,200}[A-Za-z])"
_TEXTS: Final = (
    rb"(^|/)((application|bootstrap)([.-][^/]*)?\.(ya?ml|properties)|appsettings[^/]*\.json|(local_)?settings\.py"
    rb"|config(uration)?\.(ya?ml|json|ini|toml|php|py|js)|wp-config\.php|database\.ya?ml|app\.ya?ml"
    rb"|[^/]+\.(tfvars|tfstate)|(docker-)?compose[^/]*\.ya?ml|values\.ya?ml|gradle\.properties"
    rb"|\.(bash|zsh)_history|\.bashrc|\.profile)$"
)
_SCRIPTS: Final = rb"(^|/)([^/]+\.(sh|ya?ml|txt|md|http)|\.(bash|zsh|ash)_history|\.bashrc|\.profile)$|^$"

# A key ends with its END line; one that was cut off, where the lines are none of a key any more. The marks of
# examples are looked for in the body `b` alone: in headers stand names and addresses.
_KEY_TEXT: Final = rb"[A-Za-z0-9+/=:, \\\t\r\n]"
_PEM: Final = (
    rb"(?P<s>-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:(?:\r?\n|(?:\\+r)?\\+n)[ \t]{0,80}[A-Za-z-]{1,40}: [^\r\n\\]{0,200}+){0,9}(?:\\+[rn]|\s)++"
    rb"(?P<b>(?=(?:" + _KEY_TEXT + rb"|-(?!----)){40})"
    + _KEY_TEXT + rb"*(?:-(?!----)" + _KEY_TEXT + rb"*){0,20}(?=-----END [A-Z ]{0,40}-----)"
    rb"|[A-Za-z0-9+/=]{40,}(?:(?:\\+[rn]|\s)+[A-Za-z0-9+/=]{20,})*)"
    rb"(?:-----END [A-Z ]{0,40}-----(?:\r?\n|(?:\\+r)?\\+n)?)?)"
)  # fmt: skip

_PUTTY: Final = (
    rb"(?P<s>PuTTY-User-Key-File-\d: \S{1,40}\s"
    rb"(?:(?!PuTTY-User)[\s\S]){0,6000}?"  # the public key of 16384 bits, what encrypts, and a comment
    rb"Private-Lines: \d{1,4}\s(?P<b>[A-Za-z0-9+/=\s]{40,}?)"
    rb"(?:Private-(?:MAC|Hash): [0-9a-f]{40,64}(?:\r?\n)?|(?![A-Za-z0-9+/=\s])))"
)

# Looked for in every file: prefixes that nothing else has.
EVERYWHERE: Final = (
    _rule("private-key", "PRIVATE KEY", _PEM),
    _rule("private-key", "PuTTY-User-Key-File", _PUTTY),
    _token("private-key", "AGE-SECRET-KEY-1", rb"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    _token("aws-access-key", "AKIA|ASIA", rb"(?:AKIA|ASIA)[A-Z2-7]{16}"),
    _rule(
        "aws-secret-key", "aws_secret|AWS_SECRET|awsSecret|AwsSecret|AWSSecret|awssecret",
        rb"(?i:aws_?secret_?(?:access_?)?key)[\"']?\s*[=:]\s*[\"']?"
        rb"(?P<s>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    _token(
        "azure-key", "AccountKey=|SharedAccessKey=",
        rb"(?<=AccountKey=)[A-Za-z0-9+/]{86}==|(?<=AccessKey=)[A-Za-z0-9+/]{43}=",
    ),
    _rule("azure-secret", "8Q~|7Q~", rb"(?<![\w.~-])(?P<s>[\w.~-]{3}[78]Q~[\w.~-]{31,34})(?![\w.~-])"),
    _token("github-token", "ghp_|gho_|ghu_|ghs_|ghr_", rb"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _token("github-token", "github_pat_", rb"github_pat_[A-Za-z0-9_]{50,255}"),
    _token("gitlab-token", "glpat-|gldt-|glrt-|glptt-", rb"gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,}"),
    _token("slack-token", "xoxa-|xoxb-|xoxp-|xoxr-|xoxs-", rb"xox[abprs]-[0-9]{8,}-[0-9A-Za-z-]{10,}"),
    _token("slack-token", "xapp-", rb"xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{30,}"),
    _rule(
        "slack-webhook", "hooks.slack",
        rb"(?P<s>https://hooks\.slack\.com/services/T[A-Z0-9]{7,}/B[A-Z0-9]{7,}/[A-Za-z0-9]{20,})",
    ),
    _rule(
        "discord-webhook", "discord.com/api|discordapp.com/api",
        rb"(?P<s>https://discord(?:app)?\.com/api/webhooks/\d{15,}/[\w-]{50,})",
    ),
    _token("telegram-token", ":AA", rb"\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    _token("stripe-key", "k_live_", rb"[sr]k_live_[0-9A-Za-z]{20,}"),
    _token("google-key", "AIza", rb"AIza[0-9A-Za-z_-]{35}"),
    _token("google-secret", "GOCSPX-", rb"GOCSPX-[A-Za-z0-9_-]{28}"),
    _token("npm-token", "npm_", rb"npm_[A-Za-z0-9]{36}"),
    _token("pypi-token", "pypi-AgEIcHlwaS", rb"pypi-AgEIcHlwaS[A-Za-z0-9_-]{40,}"),
    _token("rubygems-token", "rubygems_", rb"rubygems_[a-f0-9]{48}"),
    _token("docker-token", "dckr_pat_|dckr_oat_", rb"dckr_[po]at_[A-Za-z0-9_-]{27,32}"),
    _token("ai-key", "sk-proj-|sk-ant-|sk-svcacct-|sk-admin-", rb"sk-(?:proj|ant|svcacct|admin)-[\w-]{24,}"),
    _token("ai-key", "T3BlbkFJ", rb"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    _token("ai-key", "hf_", rb"hf_(?=\w*[A-Z])(?=\w*[a-z])[A-Za-z0-9]{34}"),
    _token("sendgrid-key", "SG.", rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _token("digitalocean-token", "dop_v1_|doo_v1_|dor_v1_", rb"do[opr]_v1_[a-f0-9]{64}"),
    _token("databricks-token", "dapi", rb"dapi(?=[a-f]*\d)[a-f0-9]{32}(?:-\d)?"),
    _token("shopify-token", "shpat_|shpca_|shppa_|shpss_", rb"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _token("square-token", "sq0atp-|sq0csp-", rb"sq0(?:atp|csp)-[A-Za-z0-9_-]{22,43}"),
    _token("vault-token", "hvs.|hvb.", rb"hv[sb]\.[A-Za-z0-9_-]{24,}"),
    _token("terraform-token", ".atlasv1.", rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),
    _token("pulumi-token", "pul-", rb"pul-[a-f0-9]{40}"),
    _token("newrelic-key", "NRAK-", rb"NRAK-[A-Z0-9]{27}"),
    _token("linear-key", "lin_api_", rb"lin_api_[A-Za-z0-9]{40}"),
    _token("grafana-token", "glsa_|glc_", rb"glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}|glc_[A-Za-z0-9+/]{32,}=*"),
    _token("mailgun-key", "key-", rb"key-(?=[a-f]*\d)[a-f0-9]{32}"),
    _token(
        "twilio-key", "SK", rb"SK(?=[a-f]*\d)[a-f0-9]{32}",
        paths=rb"\.(env|py|js|ts|rb|php|json|ya?ml|sh|cfg|ini|txt)$|(^|/)[^./]+$|^$",
    ),
    _rule(
        "jwt", "eyJ",
        rb"(?<![A-Za-z0-9_-])(?P<s>eyJ[A-Za-z0-9_-]{12,}\.eyJ[A-Za-z0-9_-]{12,}\.[A-Za-z0-9_-]{16,})",
    ),
)  # fmt: skip

_GIT: Final = (
    rb"(^|/)(\.git-credentials|\.gitconfig|\.git/(modules/.+/)?config|etc/gitconfig|git/(config|credentials))$"
)

# Looked for in files that hold such things.
IN_FILES: Final = (
    _rule(
        "docker-login", "",
        rb'"(?:auth|identitytoken)"\s*:\s*"(?P<s>[A-Za-z0-9+/=._-]{8,})"',
        paths=rb"(^|/)(\.docker/config\.json|\.dockercfg|containers/(\d+/)?auth\.json)$",
    ),
    _rule(
        "netrc", "", rb"(?i)\bpassword\s+(?P<s>\S{3,})",
        paths=rb"(^|/)([._]netrc|etc/apt/auth\.conf(\.d/[^/]+)?)$",
    ),
    _rule(
        "npm-login", "", rb"_(?:authToken|auth|password)\s*=\s*[\"']?(?P<s>[^\s${\"'][^\s\"']{7,})",
        paths=rb"(^|/)(\.npmrc|etc/npmrc)$",
    ),
    _rule(
        "npm-login", "npmAuth",
        rb"(?m)^[ \t]*[\"']?npmAuth(?:Token|Ident)[\"']?:[ \t]*[\"']?(?P<s>[^\s${\"'][^\s\"']{7,})",
        paths=rb"(^|/)\.yarnrc\.yml$",
    ),
    _rule(
        "url-password", "://",
        rb"[a-z0-9+.-]://[^\s:/@\"']*:(?P<s>[^\s/@${\"']{3,})@",
        paths=_GIT + rb"|(^|/)("
        rb"pip\.(conf|ini)|\.pypirc|\.env[^/]*|\.condarc|requirements[^/]*\.txt|Pipfile(\.lock)?|"
        rb"etc/apt/sources\.list(\.d/[^/]+)?|sources\.list)$|^$",
    ),
    _rule(
        "git-login", "uthorization|UTHORIZATION",
        rb"(?i)\bextraheader[ \t]*=[ \t]*[\"']?authorization:[ \t]*"
        rb"(?:basic|bearer)[ \t]+(?P<s>[\w.~+/=-]{8,})",
        paths=_GIT,
    ),
    _rule(
        "password", "",
        _BEFORE + rb"[\"']?(?P<s>[^\s\"'#${<][^\s\"']{5,})",
        paths=rb"(^|/)(\.env(\.[^/]*)?|[^/]+\.env|\.aws/credentials|credentials(\.toml)?|"
        rb"\.gradle/gradle\.properties|\.pypirc|\.my\.cnf|secrets?\.(ya?ml|json|toml|ini|properties)"
        rb"|pypoetry/auth\.toml|\.boto|etc/boto\.cfg|\.s3cfg)$",
    ),
    _rule(
        "password", "", _BEFORE + rb"[\"']?" + _MADE + rb"(?P<s>[^\s\"'#${<(\[]{8,200}?)[\"']?,?;?[ \t]*$",
        paths=_TEXTS,
    ),
    _rule(
        "password", "",
        _BEFORE + rb"(?P<q>[\"'])" + _MADE
        + rb"(?P<s>[^\s\"'#${<(\[][^\s\"'{<\[]{7,199})(?P=q)[ \t]{0,80}[,;]?[ \t]*(?:#.*)?$",
        paths=_TEXTS,
    ),
    _rule(
        "password", "define",
        rb"(?im)^[ \t]*define\([ \t]*[\"'](?!\w{0,200}(?:file|path|dir|url)[\"'])" + _NAME
        + rb"[\"'][ \t]*,[ \t]*(?P<q>[\"'])(?=[^\"'\r\n]{0,200}[0-9])(?=[^\"'\r\n]{0,200}[A-Za-z])"
        rb"(?P<s>(?:(?!(?P=q))[^\r\n${<\[]){8,200})(?P=q)[ \t]*\)",
        paths=rb"(^|/)[^/]*(config(uration)?|settings)\.php$",
    ),
    _rule(
        "bearer-token", "earer ",
        rb"(?i:authorization[\"']?\s*[:=]\s*[\"']?bearer) (?P<s>(?=[\w.~+/=-]*\d)[\w.~+/=-]{20,})",
        paths=_SCRIPTS,
    ),
    _rule(
        "url-password", "curl",
        rb"\bcurl\b(?:(?!\bcurl\b)[^\n|;&]){0,500}?\s(?:-u|--user)[ =]?"
        rb"[\"']?[^\s:\"'$]+:(?P<s>[^\s\"'$]{4,})",
        paths=_SCRIPTS,
    ),
    _rule(
        "pgpass", "", rb"(?m)^[^#\s:][^\s:]*:[^\s:]*:[^\s:]*:[^\s:]*:(?P<s>\S{3,})$", paths=rb"(^|/)\.pgpass$"
    ),
    _rule(
        "shadow-hash", "", rb"(?m)^[^:\s]+:(?P<s>\$[0-9a-z]+\$[^:\s]{8,}):",
        paths=rb"(^|/)etc/(g?shadow|shadow-)$",
    ),
    _rule(
        "htpasswd", "", rb"(?m)^[^:\s]+:(?P<s>(?:\$(?:apr1|2[aby]|[56])\$|\{SHA\})\S{8,})$",
        paths=rb"(^|/)\.?htpasswd$",
    ),
    _rule(
        "kube-login", "",
        rb"(?:client-key-data|token|password)[\"']?:\s*[\"']?(?P<s>[A-Za-z0-9+/=._-]{12,})",
        paths=rb"(^|/)(\.kube/config|kubeconfig(\.ya?ml)?|kubelet\.conf|etc/kubernetes/[^/]+\.conf|k3s\.yaml)$",
    ),
    _rule(
        "maven-login", "<password>|<passphrase>",
        # A comment is passed over whole: what Maven comes with has examples in them.
        rb"<!--(?:[\s\S]*?-->|[\s\S]*)|<(?:password|passphrase)>\s*(?P<s>[^\s<>${][^<>\r\n]{2,})</",
        paths=rb"(^|/)settings(-[^/]*)?\.xml$",
    ),
    _rule(
        "composer-login", "",
        rb'"(?:password|consumer-secret|[^"\s:/]+\.[a-z]+)"\s*:\s*"(?P<s>[^"\s\\${<][^"\s\\]{5,})"',
        paths=rb"^(?!(.*/)?containers/(\d+/)?auth\.json$)(.*/)?auth\.json$",
    ),
    _rule(
        "google-login", "refresh_token", rb'"refresh_token"\s*:\s*"(?P<s>[^"\s${<]{12,})"',
        paths=rb"(^|/)(application_default_credentials|adc)\.json$",
    ),
    _rule(
        "azure-login", "oken|secret",
        rb'"(?:secret|accessToken|refreshToken|client_secret)"\s*:\s*"(?P<s>[^"\s${<]{16,})"',
        paths=rb"(^|/)\.azure/(msal_token_cache|msal_http_cache|accessTokens|service_principal_entries)\.json$",
    ),
    _rule(
        "rails-key", "", rb"\A\s*(?P<s>[0-9a-f]{32})\s*\Z",
        paths=rb"(^|/)config/(master|credentials/[^/]+)\.key$",
    ),
    _rule(
        "connection-string", "",
        rb"(?i)[;\"'][ \t]*(?:password|pwd)[ \t]*=[ \t]*"
        rb"(?![{$<]|#\{|%\w+%)(?P<s>[^;\"'\s\\][^;\"'\r\n<>\\]{3,})",
        paths=rb"(?i)(^|/)(appsettings[^/]*\.json|local\.settings\.json|connectionstrings[^/]*\.(json|config)"
        rb"|(web|app)(\.[^/]*)?\.config|[^/]+\.(exe|dll)\.config)$",
    ),
)  # fmt: skip

# A variable of the config by its name.
VARIABLE: Final = re.compile(
    r"(?i)\A(?!.*[_.-](file|path|dir|url|ttl|timeout)$)"
    r".*(password|passwd|secret|token|api[_-]?key|private[_-]?key|credentials?)"
)
WORDS: Final = frozenset("yes no true false none null on off enabled disabled required optional".split())
