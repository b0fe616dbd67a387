"""What looks like a secret: by its form, by the name that it is given, by how random it is.

A false alarm costs more than a miss, so a reference to a secret kept elsewhere, a placeholder, a public key or a name
is none, and a random text counts only under a name that speaks of keys. What is found is never shown: a kind, a length
and the start of a hash are enough to find it again.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from hashlib import blake2b

from msgspec import Struct


class Likeness(Struct, frozen=True):
    """Something in a text that looks like a secret.

    ``kind`` is what it is, for people. ``by`` is ``form``, ``name`` or ``entropy``. ``name`` is the name that it is
    given in the text, if any. ``start`` and ``end`` (exclusive) are its characters in the text.
    """

    kind: str
    by: str
    name: str
    start: int
    end: int
    mark: str
    """The first characters of a hash of the secret, to recognise it by."""
    default: bool = False
    """A word that makers set and everybody tries first."""

    @property
    def length(self) -> int:
        """How many characters it has."""
        return self.end - self.start


def mark_of(secret: str) -> str:
    """The start of a hash, which tells two secrets apart and gives neither away."""
    return blake2b(secret.encode("utf-8", "surrogatepass"), digest_size=4, person=b"shoreup-mark").hexdigest()


GAP = "\0"
"""Stands in a text for a part that is not known."""

# ------------------------------------------------------------------------------------------------- by form

_FORMS: tuple[tuple[str, str, str], ...] = (
    ("private key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[^-]{32,}"),
    ("PuTTY private key", "PuTTY-User-Key-File-", r"PuTTY-User-Key-File-\d: \S+"),
    ("age private key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    ("AWS access key", "IA", r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])"),
    ("GitHub token", "_", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})"),
    ("GitLab token", "gl", r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|ptt|agent)-[A-Za-z0-9_-]{20,}"),
    ("Slack token", "xox", r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{20,}"),
    ("Slack webhook", "hooks.slack.com/", r"https://hooks\.slack\.com/(?:services|workflows)/\w{6,}/\w{6,}/\w{16,}"),
    ("Discord webhook", "/api/webhooks/", r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d{15,}/[\w-]{50,}"),
    ("Telegram bot token", ":AA", r"(?<![A-Za-z0-9])\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    ("Google API key", "AIza", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ("Stripe key", "k_live_", r"(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{20,}"),
    ("API key", "sk-", r"(?<![A-Za-z0-9])sk-(?:proj-|ant-|or-v1-)?[A-Za-z0-9_-]{32,}"),
    ("Hugging Face token", "hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{34,}"),
    ("Vault token", "hv", r"(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_-]{24,}"),
    ("Tailscale key", "tskey-", r"(?<![A-Za-z0-9])tskey-(?:auth|api|client)-[A-Za-z0-9]+-[A-Za-z0-9]{20,}"),
    ("DigitalOcean token", "_v1_", r"(?<![A-Za-z0-9])do[opr]_v1_[a-f0-9]{64}"),
    ("SendGrid key", "SG.", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,}"),
    ("npm token", "npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}"),
    ("Docker Hub token", "dckr_", r"(?<![A-Za-z0-9])dckr_[op]at_[A-Za-z0-9_-]{24,}"),
    ("Grafana token", "gl", r"(?<![A-Za-z0-9])gl(?:sa|c)_[A-Za-z0-9+/=_]{32,}"),
    ("PyPI token", "pypi-", r"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{60,}"),
    ("password hash", "$2", r"(?<![A-Za-z0-9])\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"),
    ("password hash", "$apr1$", r"(?<![A-Za-z0-9])\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}"),
    ("password hash", "$", r"\$argon2(?:id|i|d)\$v=\d+\$[^\s\"']{20,}|\$6\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}"),
    ("WireGuard key", "Key", r"(?:PrivateKey|PresharedKey)\s*=\s*(?P<secret>[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"),
)  # fmt: skip
"""Kind, what stands in each of its kind and is found far faster than the pattern, and the pattern."""
_SHORTEST_FORM = 20
"""No form has fewer characters."""
_BINARY_FORMS = (
    ("git-crypt key", b"\0GITCRYPTKEY"),
    ("Java key store", b"\xfe\xed\xfe\xed"),
    ("KeePass database", b"\x03\xd9\xa2\x9a"),
)
_URL = re.compile(
    r"(?<![A-Za-z0-9])(?P<scheme>[a-z][a-z0-9+.-]{2,20})://(?P<user>[^\s:/@'\"<>]*):(?P<secret>[^\s/@'\"<>]+)"
    r"@(?P<host>[A-Za-z0-9._\[-]+)"
)

# ------------------------------------------------------------------------------------------------- by name

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset({
    "password", "passwd", "passphrase", "passwort", "pwd", "pass", "secret", "token", "apikey", "credential",
    "credentials",
    "privatekey", "secretkey", "accesskey", "authkey", "psk",
})  # fmt: skip
_SECRET_PAIRS = frozenset({
    ("api", "key"), ("private", "key"), ("secret", "key"), ("access", "key"), ("auth", "key"), ("encryption", "key"),
    ("signing", "key"), ("master", "key"), ("shared", "key"), ("preshared", "key"), ("session", "key"), ("app", "key"),
    ("license", "key"), ("tunnel", "key"), ("client", "key"), ("account", "key"), ("ssh", "key"),
})  # fmt: skip
_RANDOM_WORDS = frozenset({"key", "salt", "cookie", "seed", "signing", "hmac", "nonce", "webhook"})
_NOT_SECRET_WORDS = frozenset({"public", "pub", "existing", "max", "min", "per", "default"})
"""Before the last word they make a name of it that is no secret's: ``existingSecret``, ``max_token``."""
_WEAK_WORDS = frozenset({"secret", "credential", "credentials", "pass", "token", "psk"})
"""Names that also stand before the name of something that holds the secret."""
_NOT_KEY_WORDS = frozenset(
    {"public", "pub", "site", "id", "fingerprint", "known", "primary", "foreign", "file", "path", "name", "host"}
)
_ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:-[ \t]+|export[ \t]+|set[ \t]+|ENV[ \t]+)?(?P<quote>["']?)(?P<name>[A-Za-z_][\w.\-]{0,80})"""
    r"""(?P=quote)[ \t]*[:=][ \t]*(?P<value>\S[^\r\n]*)""",
    re.MULTILINE,
)
_JSON_PAIR = re.compile(r'"(?P<name>[A-Za-z_][\w.\-]{0,80})"\s*:\s*"(?P<value>[^"\\\n]+)"')
_XML_PAIR = re.compile(r"<(?P<name>[A-Za-z_][\w.\-]{0,80})>(?P<value>[^<>\n]+)</(?P=name)>")
_XML_REMARK = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NAME_SIGNS = ("pass", "pwd", "secret", "token", "key", "credential", "psk", "salt", "cookie", "seed", "hmac")
_NAME_SIGN = re.compile("|".join(_NAME_SIGNS), re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"""^(?:
        \$\{.*|\$\(.*|\$[A-Za-z_]\w*.*|.*\{\{.*|\{[A-Za-z_].*\}|<.*>|%.*%|%\(.*|\[.*\]?|\$__\w+\{.*
        |!\w+.*|(?:env|file|vault|op|ref\+\w+|secret|ssm|arn|awssm|gcpsm|akv|sops)[:/].*
        |os\.environ[/.\[(].*|process\.env[.\[].*|(?-i:[A-Z0-9_]*REPLACE[A-Z0-9_]*)
        |enc\[.*|\*[\w-]*|\*+|&\w+;?|x{3,}|\.{3,}|-+|_+
        |(?:your|insert|enter|put|replace|fill|add|some)[-_ ].*
        |.*(?:_here|-here|goes-here|placeholder|redacted|removed).*
        |null|nil|none|undefined|true|false|yes|no|on|off|required|optional|random|generated?|auto|default|unset|empty
        |hidden|masked|plain|basic|bearer
        |~|\d{1,3}[smhd]?|/.*|\.{1,2}/.*|~/.*|[a-z]+://[^@]*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_SENTENCE = re.compile(r"[A-Za-z][a-z]*(?: [A-Za-z][a-z]*)+")
_DEFAULTS = frozenset({"admin", "guest", "minioadmin", "root"})
_SWITCHED_OFF = re.compile(r"[ \t]*enabled?[ \t]*[:=][ \t]*(?:false|no|off|0)[ \t]*(?:#.*)?", re.IGNORECASE)
_REFERENCE_NAME = re.compile(r"^[a-z][a-z0-9]*(?:[-.][a-z0-9]+)+$")
_CODE = re.compile(r"[()\[\]{};]|\$\w|<%|=>|->|\bos\.|\bprocess\.|\bself\.")
_RANDOM = re.compile(r"^[A-Za-z0-9+/_=\-]{20,}$")
_CODE_KEYS = (
    ".sh", ".py", ".js", ".ts", ".lua", ".go", ".rb", ".php", ".pl", ".sql", ".html", ".css", ".md", ".tmpl", ".tpl",
    ".rego", ".star", ".groovy",
)  # fmt: skip
_SECRET_PATHS = re.compile(
    r"(?:^|/)(?:[^/]*git-?crypt[^/]*|id_(?:rsa|dsa|ecdsa|ed25519)[^/.]*|[^/]*\.(?:p12|pfx|jks|keystore|kdbx|keytab|ppk|agekey)|\.?htpasswd|\.pgpass|\.netrc"
    r"|[^/]*(?:private|secret)[-_]?key[^/]*|[^/]*\.key)$",
    re.IGNORECASE,
)


def secret_path(path: str) -> bool:
    """Whether a file of this name holds a key: a git-crypt key, an SSH key, a key store."""
    return bool(path) and _SECRET_PATHS.search(path) is not None and not path.endswith((".pub", ".pub.key"))


@lru_cache(maxsize=4096)
def secret_name(name: str) -> bool:
    """Whether a name says that its value is a secret, and not a name, a file or a rule about one."""
    words = words_of(name)
    if not words or not _NOT_SECRET_WORDS.isdisjoint(words[:-1]):
        return False
    return words[-1] in _SECRET_WORDS or tuple(words[-2:]) in _SECRET_PAIRS


@lru_cache(maxsize=4096)
def random_name(name: str) -> bool:
    """Whether a name speaks of keys, so that a random value under it is a secret."""
    words = set(words_of(name))
    return bool(words & _RANDOM_WORDS) and not words & _NOT_KEY_WORDS


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in any case: ``apiKey``, ``API_KEY`` and ``api-key`` are the same two."""
    return tuple(word.lower() for word in _WORDS.findall(name))


def entropy(value: str) -> float:
    """Bits per character."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())


def is_random(value: str) -> bool:
    """Whether a text is as random as only a key is."""
    if not _RANDOM.match(value) or _REFERENCE_NAME.match(value):
        return False
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    floor = 3.0 if re.fullmatch(r"[0-9a-fA-F]+", value) else 3.6
    return mixed and entropy(value) >= floor


def placeholder(value: str) -> bool:
    """Whether a value stands for a secret that comes from elsewhere."""
    return not value or GAP in value or _PLACEHOLDER.match(value) is not None


_FILLER = re.compile(
    r".*(?:change|replace|example|insert|placeholder|your|xxx).*|"
    r"(?:my|a|the|some|very|super|top|strong|secure|new|good|db|dev|test|tests|testing|demo|local|root|admin|user|guest|dummy|fake|sample|todo|"
    r"default|pass|password|passwd|passphrase|pwd|pw|pass?wort|secret|token|key|value|string|foo|bar|baz|e2e|ci|"
    r"postgres|postgresql|pg|mysql|mariadb|mongo|redis|minio|rabbitmq|[-_. !]|(?<!\d)\d{1,4}(?!\d))+",
    re.IGNORECASE,
)
_DRESSED = str.maketrans("@013$", "aoles")
"""Signs that stand for letters in words that want to look like passwords."""


def filler(value: str, names: Collection[str] = ()) -> bool:
    """Whether a value only shows that a secret stands here, as samples do, or repeats one of the ``names`` beside it.

    Where it is applied it is a password all the same, and one that everybody tries first.
    """
    plain = value.lower()
    said = (plain, plain.rstrip("0123456789!").translate(_DRESSED))
    return any(_FILLER.fullmatch(one) or one in names for one in said)


def encoded_key(value: str) -> str:
    """What kind of key a Base64 text holds, empty when it is none that has a form of its own."""
    start = value.lstrip()[:4096]
    try:
        content = b64decode(start[: len(start) // 4 * 4], validate=False)
    except ValueError:
        return ""
    for kind, head in _BINARY_FORMS:
        if content.startswith(head):
            return kind
    return "private key" if b"PRIVATE KEY-----" in content[:64] else ""


def likenesses(text: str, name: str = "") -> Iterator[Likeness]:
    """Everything in a text that looks like a secret, each place once, in order.

    ``name`` is the key that the whole text stands under.
    """
    end = 0
    found = [*_by_form(text, name), *_by_name(text, name)]
    # The sort is stable: of two at the same place the one that has a form comes first and stays.
    found.sort(key=lambda one: one.start)
    for likeness in found:
        if likeness.start >= end:
            end = likeness.end
            yield likeness


def _by_form(text: str, name: str) -> Iterator[Likeness]:
    for kind, sign, written in _FORMS if len(text) >= _SHORTEST_FORM else ():
        if sign not in text:
            continue
        pattern = _compiled(written)
        for found in pattern.finditer(text):
            group: str | int = "secret" if "secret" in pattern.groupindex else 0
            secret = found[group]
            if GAP in secret:
                continue
            if kind in {"API key", "AWS access key"} and (entropy(secret) < 3.0 or "EXAMPLE" in secret):
                continue
            if _is_comment(text, found.start()):
                continue
            yield Likeness(
                kind=kind, by="form", name=name, start=found.start(group), end=found.end(group), mark=mark_of(secret)
            )
    for found in _URL.finditer(text) if "://" in text else ():
        secret = found["secret"]
        if not placeholder(secret) and "$" not in secret and "{" not in secret and not _is_comment(text, found.start()):
            kind = "password in a connection URL"
            yield Likeness(
                kind=kind,
                by="form",
                name=name,
                start=found.start("secret"),
                end=found.end("secret"),
                mark=mark_of(secret),
            )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _by_name(text: str, name: str) -> Iterator[Likeness]:
    whole = text.strip()
    if "\n" not in whole:
        start = text.find(whole)
        yield from _named(name, whole, start, whole_value=True)
    if name.endswith(_CODE_KEYS):
        return
    folded = text.casefold()
    if not any(sign in folded for sign in _NAME_SIGNS):
        return
    for found in _ASSIGNMENT.finditer(text):
        given = found["name"]
        if _NAME_SIGN.search(given):
            value, offset = _unquoted(found["value"])
            bare = offset == 0
            if bare and (_CODE.search(value) or " " in value):
                continue
            for one in _named(given, value, found.start("value") + offset, whole_value=False):
                if not (one.default and _is_off(text, one.start)):
                    yield one
    remarks = [found.span() for found in _XML_REMARK.finditer(text)] if "<!--" in text else []
    for pair in (_JSON_PAIR, _XML_PAIR):
        for found in pair.finditer(text):
            if any(start <= found.start() < end for start, end in remarks):
                continue  # taken out, as a line behind # is; mostly the maker's own sample
            if _NAME_SIGN.search(found["name"]):
                yield from _named(found["name"], found["value"], found.start("value"), whole_value=False)


def _is_off(text: str, position: int) -> bool:
    """Whether a line stands among settings of which one switches all of them off."""
    lines = text.splitlines()
    at = text.count("\n", 0, position)
    depth = _depth(lines[at])
    for step in (-1, 1):
        number = at + step
        while 0 <= number < len(lines) and depth:
            line = lines[number]
            if line.strip() and not line.lstrip().startswith("#"):
                if _depth(line) < depth:
                    break
                if _depth(line) == depth and _SWITCHED_OFF.fullmatch(line):
                    return True
            number += step
    return False


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def open_names(text: str) -> Iterator[tuple[str, int, int]]:
    """Names of secrets whose values are not wholly known (:data:`GAP`), with the characters of the value."""
    for found in _ASSIGNMENT.finditer(text) if GAP in text else ():
        if GAP in found["value"] and secret_name(found["name"]):
            yield found["name"], found.start("value"), found.end("value")


def _named(name: str, value: str, start: int, *, whole_value: bool) -> Iterator[Likeness]:
    speaks = secret_name(name)
    if not speaks and not random_name(name):
        return
    if placeholder(value) or len(value) > 4096 or _bare(value) == _bare(name):
        return
    if speaks:
        kind = _kind_by_name(name)
        if kind != "password" and _SENTENCE.fullmatch(value):
            return
        if _REFERENCE_NAME.match(value) and not is_random(value):
            return
        if value.isalpha() and value.islower() and (words_of(name)[-1] in _WEAK_WORDS or _speaks_of_keys(name)):
            return
        if whole_value and (" " in value or value.startswith("{")):
            return
        yield Likeness(
            kind=kind,
            by="name",
            name=name,
            start=start,
            end=start + len(value),
            mark=mark_of(value),
            default=value.lower() in _DEFAULTS,
        )
    elif is_random(value):
        yield Likeness(kind="key", by="entropy", name=name, start=start, end=start + len(value), mark=mark_of(value))


def _bare(text: str) -> str:
    """A name without what separates its words, as it is written in one place so and in another otherwise."""
    return re.sub(r"[-_. ]", "", text).lower()


def _speaks_of_keys(name: str) -> bool:
    """Whether a name means a key: nobody chooses those, so that a plain word under it only fills the place."""
    return words_of(name)[-1].endswith("key")


def _kind_by_name(name: str) -> str:
    words = words_of(name)
    if words[-1] in {"password", "passwd", "passphrase", "passwort", "pwd", "pass"}:
        return "password"
    if words[-1] == "token":
        return "token"
    return "key" if words[-1].endswith("key") else "secret"


def _unquoted(value: str) -> tuple[str, int]:
    """A value without its quotes or what trails it, and where it starts."""
    if value[0] in "\"'":
        end = value.find(value[0], 1)
        return (value[1:end], 1) if end > 0 else (value[1:], 1)
    bare = re.split(r"[ \t]+[#;]", value, maxsplit=1)[0]
    return bare.rstrip(" \t,"), 0


def _is_comment(text: str, position: int) -> bool:
    line = text[text.rfind("\n", 0, position) + 1 : position].lstrip()
    return line.startswith(("#", "//", ";", "--"))
