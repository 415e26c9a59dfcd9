"""Secrets that are known by their look, whatever they are called: PEM, JWT, ghp_..., URLs."""

from __future__ import annotations

import base64
import binascii
import re

from perftui.probes.own.pattern import pattern
from perftui.probes.text.redact.randomness import looks_random

MASK = "***"

_TOKENS = pattern(
    r"(?<![A-Za-z0-9_-])(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|gl(?:pat|ptt|rt|dt|soat|cbt)-[\w-]{16,}"
    r"|sk-[\w-]{16,}|[sr]k_(?:live|test)_\w{10,}|whsec_[\w+/=-]{10,}"
    r"|xox[abceoprs]-[\w-]{10,}|xapp-[\w-]{10,}"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}|AIza[\w-]{30,}|ya29\.[\w-]{10,}|GOCSPX-[\w-]{10,}"
    r"|hf_[A-Za-z0-9]{20,}|pypi-[\w-]{20,}|npm_[A-Za-z0-9]{20,}|dckr_pat_[\w-]{16,}"
    r"|dop_v1_[0-9a-f]{20,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|glsa_\w{20,}|lin_api_\w{20,}|ntn_\w{20,}|dapi[0-9a-f]{32}|hv[sb]\.[\w-]{20,}"
    r"|AGE-SECRET-KEY-1[0-9A-Z]{20,}|gsk_\w{20,}|pplx-\w{20,}|r8_\w{20,}|tskey-[\w-]{16,}"
    r"|sntry[su]_[\w+/=-]{20,}|NRAK-\w{20,}|PMAK-[\w-]{20,}|rubygems_\w{20,}|ATATT3x[\w=-]{20,}"
    r"|motherduck_\w{20,}|\d{8,10}:AA[\w-]{33}|sq0[a-z]{3}-[\w-]{20,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}"
    r")"
)
_PEM = "-----BEGIN "
_PEM_HEAD = pattern(r"-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|SECRET KEY)[A-Z ]{0,20}-----")
_PEM_END = pattern(r"-----END [A-Z0-9 ]{0,60}-----")
_HOOKS = pattern(
    r"(https://(?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/"
    r"|[\w-]{1,60}\.webhook\.office\.com/webhookb2/))[^\s\"'<>]+"
)
_SCHEME = pattern(r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]+://|://")
_AUTHORITY = pattern(r"[^\s\"'`<>|\\]*")
_SCHEMES = r"(?:Bearer|BEARER|bearer)"
_BEARER = pattern(rf"(?<![\w-]){_SCHEMES}(\s{{1,8}}|%20|\+)(?P<value>[\w.~+/=%:$-]{{3,}})")
_BASIC = pattern(r"(?<![\w-])[Bb]asic(\s{1,8}|%20)(?P<value>[A-Za-z0-9+/_-]{4,}={0,2})")
_BEARER_WORDS = frozenset(
    [
        *("token", "tokens", "auth", "authentication", "authorization", "format", "scheme"),
        *("realm", "realm=", "required", "header", "header:", "and", "the", "for", "only", "was"),
        *("not", "has", "is", "missing", "invalid", "expired", "token:", "token=", "with", "from"),
        *("or", "bearerformat", "methods", "method", "credentials", "tokens:", "tokens."),
    ]
)
_ORACLE = pattern(r"(\boracle:\w{1,20}:\w{1,60}/)(?!\*\*\*@)[^@\s]{1,128}@")
_SHORTEST_KEY = 16
_WEB = frozenset(["http", "https"])
_KEYED = _WEB | {"ws", "wss", "ftp", "ftps", "redis", "rediss", "amqp", "amqps", "mqtt", "mqtts"}
"""Where a key may stand in the user's place; in `abfss://` it is a container."""
_NO_PASSWORD = frozenset(["", "x", "x-oauth-basic", "api_token", "unused"])
"""What follows a key that stands in the user's place."""
_PERSON = pattern(r"[A-Za-z]{2,}(?:[._-][A-Za-z]+)+\d{0,4}|[^%]+%40[^%]+")
"""`contoso-engineering`, `jane.doe%40example.org`: a name, however long."""
_CODES = pattern(
    r"(?<=[?&#])(?P<name>(?:(?:auth|authorization|device|oauth)_?)?code|code_verifier|key"
    r"|oauth_verifier|ticket|(?:client_)?assertion|SAMLResponse|hmac)=(?P<value>[\w.~%+/=-]{12,})",
    re.IGNORECASE,
)
"""Parameters of a URL that are mostly a number or a word (`?code=404`), and may let somebody in."""
_SIGNED = pattern(r"(SharedAccessSignature\s{1,4})(?!\*\*\*)[^\s\"']+")


def redact_shapes(text: str) -> str:
    """Mask what is a secret by its look alone."""
    if _PEM in text:
        text = _without_pem(text)
    if "://" in text:
        text = _HOOKS.sub(rf"\g<1>{MASK}", text)
        text = _without_userinfo(text)
    if "=" in text:
        text = _CODES.sub(_code, text)
    text = _TOKENS.sub(MASK, text)
    if "oracle" in text:
        text = _ORACLE.sub(rf"\g<1>{MASK}@", text)
    if "SharedAccessSignature" in text:
        text = _SIGNED.sub(rf"\g<1>{MASK}", text)
    text = _BEARER.sub(_bearer, text)
    return _BASIC.sub(_basic, text)


def _without_pem(text: str) -> str:
    pieces, done = [], 0
    while (head := _PEM_HEAD.search(text, done)) is not None:
        end = _PEM_END.search(text, head.end())
        pieces.append(text[done : head.end()] + MASK)
        done = len(text) if end is None else end.start()
    return "".join([*pieces, text[done:]])


def _without_userinfo(text: str) -> str:
    """Mask passwords in URLs, and keys that stand where the user would."""
    pieces, done = [], 0
    schemes = list(_SCHEME.finditer(text))
    # Each looks no further than the next one: what is looked at twice makes long texts slow.
    ends = [scheme.start() for scheme in schemes[1:]]
    for scheme, limit in zip(schemes, [*ends, len(text)]):  # noqa: B905 - 3.9
        at = scheme.end()
        found = _AUTHORITY.match(text, at, limit)
        end = at if found is None else found.end()
        masked = _userinfo(text[at:end], scheme[0])
        if masked is not None:
            pieces += [text[done:at], masked]
            done = end
    return "".join([*pieces, text[done:]])


def _userinfo(rest: str, scheme: str) -> str | None:
    """Return what follows `scheme://` without its secret; None if there is none."""
    slash = min((i for i in map(rest.find, "/?#") if i != -1), default=len(rest))
    sign = rest.rfind("@", 0, slash)
    colon = rest.find(":", 0, slash)
    if sign == -1:
        # A password with a slash in it: not after a port, nor in a path.
        sign = rest.rfind("@")
        tail = rest[colon + 1 : slash]
        if sign == -1 or colon == -1 or tail.isdigit() or not tail or "=" in rest[slash:sign]:
            return None
    if not 0 <= colon < sign:
        return MASK + rest[sign:] if _is_key(rest[:sign], scheme) else None
    user, password = rest[:colon], rest[colon + 1 : sign]
    if password.lower() in _NO_PASSWORD and (user == MASK or _is_key(user, scheme)):
        return f"{MASK}:{password}{rest[sign:]}"
    return f"{user}:{MASK}{rest[sign:]}" if password else None


def _is_key(user: str, scheme: str) -> bool:
    """Tell whether what stands in the user's place of a URL is a key."""
    kind = scheme.lower().removesuffix("://").rpartition("+")[2]
    if not user or user == MASK or user.startswith(("$", "{{", "<")):
        return False
    if kind == "nats":
        return True  # a user of NATS always has a password
    if kind not in _KEYED:
        return False
    is_long = kind in _WEB and len(user) >= _SHORTEST_KEY
    return looks_random(user) or (is_long and _PERSON.fullmatch(user) is None)


def _code(match: re.Match[str]) -> str:
    return f"{match['name']}={MASK}" if looks_random(match["value"]) else match[0]


def _bearer(match: re.Match[str]) -> str:
    value = match["value"]
    if value.lower() in _BEARER_WORDS or value[0] == "$":
        return match[0]
    return match[0][: match.start("value") - match.start()] + MASK


def _basic(match: re.Match[str]) -> str:
    head = match[0][: match.start("value") - match.start()]
    return head + MASK if is_basic(match["value"]) else match[0]


def is_basic(value: str) -> bool:
    """Tell whether a text is the base64 of USER:PASSWORD."""
    if len(value) > 4096:
        return False
    try:
        plain = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_").decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False
    return ":" in plain and plain.isprintable()
