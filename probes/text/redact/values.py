"""Where the value after a secret's name ends, and which values are no secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perftui.probes.own.pattern import pattern
from perftui.probes.text.redact.shapes import MASK

if TYPE_CHECKING:
    from perftui.probes.text.redact.names import Kind

_PREFIX = pattern(r"[bBrRfFuUeEnN]{1,2}(?=[\"'])")
_QUOTE = pattern(r"(\\*)([\"'`])")
_IN_DOUBLE = pattern(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_IN_SINGLE = pattern(r"[^'\\]*(?:\\.[^'\\]*)*", re.DOTALL)
_IN_BACK = pattern(r"[^`\\]*(?:\\.[^`\\]*)*", re.DOTALL)
_INSIDE = {'"': _IN_DOUBLE, "'": _IN_SINGLE, "`": _IN_BACK}
_NEXT = r"(?:\s|$|[\"'\[{]?[^\W\d][\w.\- ]{0,60}[\"']?\s?[=:])"
_WORD_END = pattern(
    rf"\s|[&;,|](?={_NEXT}|&)|\\*[\"'`](?=\s|$|[,;)\]}}&|>:])|[)\]}}]+(?=\s|$|[,;\"'\]])|<(?=/)"
)
_LINE_END = pattern(r"\n|\\n|\\r|[,;&](?=\s?[\"']?[^\W\d][\w.-]{0,60}[\"']?\s?[=:])|[}\]](?=\s*$)")
_FIELD_END = pattern(r"[;\n\"']")
_COOKIES = pattern(r"[^\s;\"']+(?:;[ ]?[^\s=;\"']+=[^\s;\"']*)*")
_SCHEME = pattern(
    r"(?:basic|bearer|token|digest|apikey|api-key|negotiate|ntlm|key|oauth|aws4-hmac-sha256"
    r"|sharedkey|sharedaccesssignature|splunk|dpop|jwt|mac|hawk)\s+(?=\S)",
    re.IGNORECASE,
)
_BRACKETS = pattern(r"[{}\[\]()\"'\\]")
_BLOCK = pattern(
    r"[|>][+-]?\d?[ \t]*\n(?:(?P<indent>[ \t]+)[^\n]*(?:\n(?P=indent)[^\n]*|\n[ \t]*(?=\n))*)"
)

_VARIABLE = pattern(
    r"\$\{?[A-Za-z_]\w*\}?"
    r"|\$\{\{[^}]*\}\}|\{\{[^}]*\}\}|%[A-Z_]+%|<[a-zA-Z][\w -]{0,40}>|\$\([^)]*\)"
)
_BARE = frozenset(
    [
        *("true", "false", "none", "null", "yes", "no", "on", "off", "nil", "undefined", "str"),
        *("string", "bytes", "bool", "int", "float", "optional", "any", "secretstr", "required"),
    ]
)
_METHODS = frozenset(
    [
        *("basic", "digest", "bearer", "oauth", "oauth2", "ntlm", "kerberos", "iam", "token"),
        *("password", "ldap", "saml", "oidc", "jwt", "plain", "scram", "anonymous", "gssapi"),
        *("md5", "trust", "peer", "cert", "mtls", "tls", "auto", "default", "disabled", "enabled"),
        *("x509", "hmac", "sigv4", "adc", "env", "file", "user", "users", "login"),
    ]
)
_CODE = pattern(
    r"(?:os\.(?:environ|getenv)|environ|getenv|getpass|self\.|args\.|sys\.(?:argv|stdin)|input\("
    r"|config[.\[]|settings\.|env\.|secrets\.token|Field\(|Optional\[)"
)
_PLACE = pattern(
    r"(?:@?~?/(?:home|etc|run|var|opt|usr|root|tmp|mnt|secrets|keys|app|data|Users|srv|dev|proc"
    r"|workspace|work|vault|config|nfs|scratch)(?:/|$)|~/|\.\.?/|file:).*"
    r"|[\w./-]{1,200}\.(?:pem|key|json|ya?ml|txt|p8|p12|pfx|jks|crt|env|ini|toml|cfg|py|sql|csv|parquet)",
    re.DOTALL,
)
_HOME = pattern(r"/[\w./-]*|[A-Z]:\\.*")
_RELEASE = pattern(r"latest|stable|edge|v?\d+(?:\.\d+){1,3}(?:-\w+)?")
_BUILD_SECRET = pattern(r"(?:id|type|env|src|source)=")
_WHOLE_PLACE_CHARS = 400


def is_harmless(value: str, kind: Kind) -> bool:
    """Tell whether what follows a secret's name is none: a placeholder, a place, a method."""
    if not value or value == MASK:
        return True
    if len(value) > _WHOLE_PLACE_CHARS:
        return False
    if value.lower().rstrip(",;)") in _BARE or _VARIABLE.fullmatch(value) or _CODE.match(value):
        return True
    if kind == "password":
        return False
    if (value.isdigit() and len(value) <= 2) or _PLACE.fullmatch(value):
        return True
    if kind == "connection":
        return "@" not in value and "***" not in value
    if kind == "weak":
        return value.lower() in _METHODS or _HOME.fullmatch(value) is not None
    return _BUILD_SECRET.match(value) is not None or _RELEASE.fullmatch(value) is not None


def quoted(text: str, at: int) -> tuple[int, int, int] | None:
    r"""Return (start, end, after) of the quoted value at `at`; None if it is not quoted.

    Quotes within quotes are escaped (`\"`): they end at the next that is escaped as often.
    What is never closed goes to the end.
    """
    prefix = _PREFIX.match(text, at)
    if prefix is not None:
        at = prefix.end()
    opening = _QUOTE.match(text, at)
    if opening is None:
        return None
    escapes, quote = opening.groups()
    start = opening.end()
    if escapes:
        end = inside(text, start, escapes + quote)
        return start, end, min(end + len(escapes) + 1, len(text))
    triple = quote * 3
    if text.startswith(triple, opening.start()):
        start += 2
        end = text.find(triple, start)
        return (start, len(text), len(text)) if end == -1 else (start, end, end + 3)
    end = start
    while True:
        found = _INSIDE[quote].match(text, end)
        end = len(text) if found is None else found.end()
        if end >= len(text):
            return start, len(text), len(text)
        if not text.startswith(quote * 2, end) or end == start:
            return start, end, end + 1
        end += 2  # SQL doubles a quote that is part of the value


def inside(text: str, at: int, delimiter: str) -> int:
    """Return where the text that a delimiter (a quote, maybe escaped) encloses ends."""
    if len(delimiter) == 1:
        found = _INSIDE[delimiter].match(text, at)
        return len(text) if found is None else found.end()
    end = text.find(delimiter, at)
    while end > 0 and text[end - 1] == "\\":  # escaped more often: of a deeper text
        end = text.find(delimiter, end + len(delimiter))
    return len(text) if end == -1 else end


def word_end(text: str, at: int, limit: int) -> int:
    """Return where an unquoted value of one word ends."""
    found = _WORD_END.search(text, at, limit)
    return limit if found is None else found.start()


def line_end(text: str, at: int, limit: int) -> int:
    """Return where a value that may hold blanks ends: with its line, or where a next one begins."""
    found = _LINE_END.search(text, at, limit)
    end = limit if found is None else found.start()
    return at + len(text[at:end].rstrip())


def field_end(text: str, at: int, limit: int) -> int:
    """Return where a field of a connection string ends: at its semicolon."""
    found = _FIELD_END.search(text, at, limit)
    return limit if found is None else found.start()


def scheme_end(text: str, at: int) -> int:
    """Return where the scheme of an Authorization (`Bearer `) ends; `at` if there is none."""
    found = _SCHEME.match(text, at)
    return at if found is None else found.end()


def cookies_end(text: str, at: int, limit: int) -> int:
    """Return where a list of cookies ends: `a=b; c=d`."""
    found = _COOKIES.match(text, at, limit)
    return at if found is None else found.end()


def block_end(text: str, at: int) -> int | None:
    """Return where a YAML block (`|` and indented lines) ends; None if there is none."""
    found = _BLOCK.match(text, at)
    return None if found is None else found.end()


def bracket_end(text: str, at: int) -> int:
    """Return where the bracket that opens at `at` is closed; the end of the text if never."""
    depth = 0
    quote = ""
    skip = -1
    for found in _BRACKETS.finditer(text, at):
        sign = found[0]
        if found.start() == skip:
            continue
        if sign == "\\":
            skip = found.end()
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "{[(":
            depth += 1
        else:
            depth -= 1
            if depth <= 0:
                return found.end()
    return len(text)
