"""Which names promise a secret: `--api-key`, `fs.s3a.secret.key`; not `--token-count`.

Whole words decide: a filter that also hides harmless arguments gets switched off.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from perftui.probes.own.pattern import pattern

Kind = Literal["password", "secret", "weak", "connection"]
"""How sure a name is. A password is masked whatever it looks like; a `secret` unless it is a
place or a placeholder; `weak` names (`auth`, `pass`, `sig`) also stand for methods and numbers;
a `connection` (`dsn`) is masked if there is an account in it."""

PASSWORDS = frozenset(
    [
        *("password", "passwords", "passwd", "passphrase", "passcode", "passwort", "kennwort"),
        *("senha", "contraseña", "contrasena", "пароль", "密码", "密碼", "パスワード"),
        *("motdepasse", "lösenord", "hasło", "wachtwoord"),
    ]
)
_SECRETS = frozenset(
    [
        *("secret", "secrets", "token", "apikey", "credential", "credentials", "authorization"),
        *("accountkey", "secretkey", "privatekey", "accesskey", "masterkey", "signingkey"),
        *("sharedaccesskey", "sharedaccesssignature", "authkey", "sessionkey", "encryptionkey"),
        *("authtoken", "accesstoken", "refreshtoken", "idtoken", "apitoken", "sessiontoken"),
    ]
)
_WEAK = frozenset(
    [
        *("pass", "pw", "pwd", "psk", "auth", "bearer", "cookie", "cookies", "sas", "sig"),
        *("signature", "jwt", "otp", "pin", "totp", "cred", "creds", "csrf", "xsrf", "csrftoken"),
        *("sessionid", "phpsessid", "jsessionid"),
    ]
)
_CONNECTIONS = frozenset(["dsn", "connstr", "connectionstring", "connstring"])
_KEY_OWNERS = frozenset(
    [
        *("api", "access", "account", "secret", "private", "signing", "encryption", "decryption"),
        *("session", "shared", "master", "storage", "license", "licence", "subscription", "app"),
        *("application", "auth", "sas", "hmac", "host", "service", "admin", "root", "deploy"),
        *("openai", "anthropic", "stripe", "sendgrid", "azure", "aws", "gcp", "google", "maps"),
        *("datadog", "dd", "mailgun", "twilio", "wandb", "hf", "kaggle", "role", "fernet"),
        *("webhook", "ingest", "ingestion", "write", "jwt", "aes", "rsa", "ssh", "wireguard"),
    ]
)
"""`X_KEY`, `x-key`: with these before it a key opens something; `sort_key` does not."""
_GLUED = ("password", "passwd", "passphrase", "passwort", "secret", "pass", "token", "pwd")
_NOT_GLUED = frozenset(
    [
        *("bypass", "compass", "surpass", "overpass", "underpass", "encompass", "trespass"),
        *("subpass", "multipass", "firstpass", "lowpass", "highpass", "bandpass", "allpass"),
        *("detoken", "subtoken", "pretoken", "eostoken", "bostoken", "padtoken", "oldpwd"),
    ]
)
_REFERENCES = frozenset(
    [
        *("file", "files", "path", "paths", "dir", "name", "names", "type", "types", "mode"),
        *("method", "methods", "provider", "providers", "url", "uri", "endpoint", "host", "port"),
        *("limit", "count", "counts", "length", "size", "ttl", "env", "id", "ids", "jar", "max"),
        *("min", "len", "num", "budget", "bucket", "expiry", "expires", "expiration", "timeout"),
        *("policy", "manager", "reset", "store", "backend", "backends", "helper", "prompt"),
        *("field", "column", "columns", "col", "header", "headers", "rotation", "rate", "stdin"),
        *("fd", "version", "versions", "arn", "ref", "refs", "lifetime", "age", "scope", "scopes"),
        *("audience", "issuer", "server", "class", "module", "plugin", "format", "algorithm"),
        *("alg", "encoding", "strength", "regex", "pattern", "kind", "label", "template"),
        *("enabled", "required", "optional", "validators", "hashers", "test", "tests", "py"),
        *("sql", "json", "yaml", "yml", "txt", "toml", "cfg", "ini", "csv", "parquet", "sh", "md"),
        *("pem", "html", "js", "ts", "ipynb", "log", "so", "service", "realm", "style", "usage"),
        *("index", "idx", "position", "pos", "ratio", "chunk", "dim", "window", "interval"),
        *("lookup", "scheme", "location", "group", "user", "username", "callback", "command"),
        *("cmd", "ids", "embeddings", "embedding", "classification", "loss", "accuracy"),
        *("check", "checks", "cache", "flow", "domain", "database", "table", "region", "mount"),
    ]
)
"""`--token-file F` names a place, `--token-count 5` a number: no secrets."""
_NEGATIONS = frozenset(
    [
        *("no", "not", "without", "skip", "disable", "enable", "allow", "ask", "prompt"),
        *("require", "requires", "hide", "has", "is", "validate", "rotate", "forgot", "reset"),
    ]
)
_NOT_A_LOGIN = frozenset(
    [
        *("eos", "bos", "pad", "unk", "mask", "sep", "cls", "stop", "special", "next", "first"),
        *("last", "begin", "end", "max", "min", "num", "n", "per", "start", "image", "input"),
        *("output", "completion", "cached", "page", "continuation", "pagination", "sync", "total"),
        *("tokens", "think", "draft", "audio", "video", "separator", "extra", "new", "target"),
    ]
)
"""Before `token`: one of a language model or of a listing."""
_NOT_A_PASS = frozenset(["first", "second", "third", "two", "multi", "single", "one", "per", "n"])
_NEUTRAL = frozenset(
    [
        *("value", "text", "string", "raw", "plain", "base64", "b64", "hex", "old", "new", "prod"),
        *("dev", "staging", "current", "previous", "default", "main", "primary", "secondary"),
    ]
)
_WORD = pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z][^\W\d_]*")
_PLAIN = pattern(r"[^\W\d_]+")
NAME_CHARS = 100
"""What decides stands at the end of a name."""


def is_secret_name(name: str) -> bool:
    """Tell whether a flag or variable of this name holds a secret: --api-key, DB_PASSWORD."""
    return kind_of(name) is not None


def kind_of(name: str) -> Kind | None:
    """Return how sure a name is that it holds a secret; None if it is an ordinary one."""
    return _kind_of(name if len(name) <= NAME_CHARS else name[-NAME_CHARS:])


@lru_cache(maxsize=4096)
def _kind_of(name: str) -> Kind | None:
    found = _kind_of_words([word.lower() for word in _WORD.findall(name)])
    if found is None and not name.isascii():
        found = _kind_of_words([word.lower() for word in _PLAIN.findall(name)])
    return found


def _kind_of_words(words: list[str]) -> Kind | None:
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in _NEUTRAL):
        words = words[:-1]
    if not words or words[-1] in _REFERENCES or words[0] in _NEGATIONS or "existing" in words:
        return None
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    if any(word in PASSWORDS for word in words):
        return "password"
    if last in _CONNECTIONS or (before, last) == ("connection", "string"):
        return "connection"
    if last in ("token", "key") and before in _NOT_A_LOGIN and before != "new":
        return None
    if any(word in _SECRETS for word in words):
        return "secret"
    if any(pair[1] == "key" and pair[0] in _KEY_OWNERS for pair in zip(words, words[1:])):  # noqa: B905, RUF007 - 3.9
        return "secret"
    if last in _WEAK:
        return None if last == "pass" and before in _NOT_A_PASS else "weak"
    for end in _GLUED:
        if last.endswith(end) and last not in _NOT_GLUED:
            return "password" if end.startswith("passw") or end == "passphrase" else "weak"
    return None
