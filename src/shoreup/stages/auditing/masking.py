"""Source lines as evidence, without the secrets in them.

Finding secrets must not cry wolf; hiding them must not let one through. So this hides by far less than it takes to
find one: every literal under a name that speaks of secrets, every long random word, everything in a Secret. Names,
references and structure stay, because they are the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shoreup.facts.secrets.recognition import is_random, likenesses

MASK = "***"

_SPEAKS = re.compile(
    r"pass|pwd|secret|token|key|cred|psk|salt|cookie|seed|hmac|(?<![a-z])auth(?![a-z])|authorization|private|cert|webhook|dsn|bearer|login|\bpin\b|signing",
    re.IGNORECASE,
)
_NAMES_ONLY = re.compile(
    r"secretKeyRef|secretRef|secretName|secret_key_ref|secret_ref|secret_name|existingSecret|imagePullSecrets"
    r"|image_pull_secrets|secretStoreRef|configMapKeyRef|config_map_key_ref|kind:\s*\w*Secret\w*"
    r"|kubernetes_secret(?:_v1)?|automountServiceAccountToken|automount_service_account_token",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"""
      "(?:\\.|[^"\\])*"
    | '[^']*'
""",
    re.VERBOSE,
)
_KEYED = re.compile(
    r"""^(?P<head>\s*(?:-\s+)?(?P<key>"[^"]*"|'[^']*'|[\w./-]+)\s*[:=](?=\s|$|["'])\s*)(?P<value>.*)$"""
)
_OPENS = re.compile(r"^(?:[{\[(|>][-+\d]*|<<[-~]?\w+|\{\s*\}|\[\s*\]|)$")
_BLOCK = re.compile(r"^\s*(?:[\w-]+(?:\s+\"[^\"]*\")*\s*\{|[}\])]+,?|#.*|//.*|---|E[A-Z]{2}|YAML|JSON)?\s*$")
_REFERENCE = re.compile(r"^(?:var|local|module|data|each|self|path|[a-z]+_[a-z_0-9]+|[a-z0-9]+(?=\())\b[.(\[]")
_IN_TEXT = re.compile(r"\$\{[^}]*\}|\$\([^)]*\)|\{\{[^}]*\}\}|%\{[^}]*\}|\$[A-Za-z_]\w*")
_LONG_WORD = re.compile(r"(?<![A-Za-z0-9+/_=:-])[A-Za-z0-9+/_=-]{20,}")
_TYPE = re.compile(r"[a-z]{2,14}(?:_[a-z]{2,14})+(?:_v\d)?")
"""What Terraform calls a kind of resource: ``kubernetes_service_account_v1``."""
_ENCODED_LINE = re.compile(r"^\s*[A-Za-z0-9+/]{32,}={0,2}\s*$")
_USER_INFO = re.compile(r"(?<=://)[^\s'\"@:]*:[^\s'\"]*(?=@)")
_PASSWORD_OPTION = re.compile(r"(?P<option>(?<![^\s\"'])-p)(?P<value>[^\s\"'$,\d][^\s\"'$,]*)")
_SAID = re.compile(
    rf"(?P<word>(?<![\w.$-])[\w.-]*(?:{_SPEAKS.pattern})[\w.-]*[\"']?\s*(?:[=:,]\s*|\s+)(?:[\"']?(?:value|default|content)[\"']?\s*[:=]\s*|(?:bearer|basic|token)\s+)?)(?P<quote>[\"']?)(?P<value>[^\s\"',;|&<>]+)",
    re.IGNORECASE,
)
_USER_OPTION = re.compile(
    r"(?P<option>(?<![^\s\"'])(?:-u|--user)[\s=]+[\"']?[^\s:\"'$]+:)(?P<value>[^\s\"'$][^\s\"']*)"
)
_PIPED = re.compile(r"(?P<told>\b(?:echo|printf)\s+(?:-\w+\s+)*)(?P<value>\"[^\"$]*\"|'[^']*'|[^\s\"'$|]\S*)(?=\s*\|)")
_MIXED_WORD = re.compile(r"(?<!sha256:)(?<![A-Za-z0-9])[A-Za-z0-9]{8,}(?![A-Za-z0-9])")
_CHANGE = re.compile(r"(?<=[a-z])(?=[0-9])|(?<=[0-9])(?=[a-z])", re.IGNORECASE)
_CHUNK = re.compile(r"^(?:---|(?:resource|data|module|variable|output|provider)\s+\"|(?:locals|terraform)\s*\{)")
_SECRET_OBJECT = re.compile(
    r"^\s*kind:\s*[\"']?Secret\b|resource\s+\"kubernetes_secret|secretGenerator|stringData|string_data", re.MULTILINE
)
_SECRET_VARIABLE = re.compile(rf"^(?:variable|output)\s+\"[^\"]*(?:{_SPEAKS.pattern})", re.IGNORECASE)
_SCHEDULING = re.compile(
    r"""^\s*(?:-\s+)?(?:
      (?:key|topologyKey|topology_key)\s*[:=]\s*["']?[a-z0-9](?:[-a-z0-9]*\.)+[-a-z0-9]+/[\w.-]+["']?
    | (?:operator|effect|whenUnsatisfiable|when_unsatisfiable)\s*[:=]\s*["']?
      (?:Exists|DoesNotExist|Equal|In|NotIn|Gt|Lt|NoExecute|NoSchedule|PreferNoSchedule|ScheduleAnyway|DoNotSchedule)["']?
    | (?:tolerationSeconds|toleration_seconds|maxSkew|max_skew|weight)\s*[:=]\s*["']?\d{1,6}["']?
    )\s*$""",
    re.VERBOSE,
)
"""Labels and words of the scheduler: a ``key`` with a domain before a slash is a label's name."""
_NAMING = re.compile(
    r"^\s*(?:-\s+)?(?:name|kind|apiVersion|namespace|type)\s*[:=]\s*[\"']?(?P<value>[\w./-]{1,63})[\"']?\s*$"
)
_PLAIN_KEY = re.compile(r"^[\"']?(?:image|repository|tag|version|chart|hosts?|path|mountPath|mount_path)[\"']?$")
_DATA_KEY = re.compile(r"^\s*(?:binaryData|data|stringData|binary_data|string_data)\b")
_VALUE_KEY = re.compile(r"^\s*(?:-\s*)?[\"']?(?:value|default|content)[\"']?\s*[:=]")
_NAME_KEY = re.compile(r"[\"']?(?:name|key)[\"']?\s*[:=]\s*[\"']?[\w.-]*", re.IGNORECASE)
_ABOVE = 40
"""Lines that are looked through for the key that a line belongs to."""


def masked(text: str, wanted: Sequence[range], *, secret: bool) -> dict[int, str]:
    """Lines of a file, by number (1-based), with what could be a secret hidden.

    ``secret`` hides every literal: for evidence that is about a secret itself.
    """
    for likeness in reversed([one for one in likenesses(text) if one.by != "name"]):
        hidden = re.sub(r"[^\n]*\S", MASK, text[likeness.start : likeness.end])
        text = text[: likeness.start] + hidden + text[likeness.end :]
    lines = text.split("\n")
    return {
        number: _line(lines, number - 1, secret)
        for number in sorted({number for span in wanted for number in span})
        if 1 <= number <= len(lines)
    }


def _line(lines: Sequence[str], index: int, secret: bool) -> str:
    line = lines[index].rstrip("\r")
    if _ENCODED_LINE.match(line) or _in_key(lines, index):
        return _indented(line)
    if _SCHEDULING.match(line):
        return line
    if _BLOCK.match(line) or _names(lines, index):
        return line
    keyed = _KEYED.match(line)
    if keyed and _NAMES_ONLY.search(keyed["key"]):
        return _words(line)
    if _in_secret(lines, index) or _under_secret_name(lines, index) or (keyed and _speaks(keyed["key"])):
        return _bare(line, keyed)
    if keyed and _PLAIN_KEY.match(keyed["key"]) and not secret:
        return _USER_INFO.sub(MASK, line)
    if keyed and " " not in keyed["value"].strip() and (secret or _speaks("".join(_IN_TEXT.findall(line)))):
        return _bare(line, keyed)
    if secret:
        line = _QUOTED.sub(lambda found: found.group() if " " in found.group() else _literal(found), line)
    return _words(line)


def _names(lines: Sequence[str], index: int) -> bool:
    """Whether the line says what something is called, and is no entry of a Secret's data."""
    found = _NAMING.match(lines[index])
    if found is None or is_random(found["value"]):
        return False
    return not any(_DATA_KEY.match(line) for line in _parents(lines, index))


def _words(line: str) -> str:
    """The line without credentials in addresses, options and pairs, and without long random words."""
    line = _USER_INFO.sub(MASK, line)
    line = _PASSWORD_OPTION.sub(lambda found: found["option"] + MASK, line)
    line = _USER_OPTION.sub(lambda found: found["option"] + MASK, line)
    line = _PIPED.sub(lambda found: found["told"] + MASK, line)
    if _speaks(line):
        line = _SAID.sub(_said, line)
    line = _LONG_WORD.sub(_long, line)
    return _MIXED_WORD.sub(lambda found: MASK if _is_mixed(found.group()) else found.group(), line)


def _long(found: re.Match[str]) -> str:
    word = found.group()
    refers = _TYPE.fullmatch(word) and found.string[found.end() : found.end() + 1] in (".", '"')
    return MASK if is_random(word) and not refers else word


def _is_mixed(word: str) -> bool:
    """Whether letters and digits alternate as they do in no name: ``x7Kq2mPz``, and not ``rtx3090`` or ``v2beta2``."""
    changes = len(_CHANGE.findall(word))
    cases = any(letter.islower() for letter in word) and any(letter.isupper() for letter in word)
    return changes >= (2 if cases else 3) and (cases or len(word) >= 10)


def _said(found: re.Match[str]) -> str:
    value = found["value"]
    if _NAMES_ONLY.search(found["word"]) or value.startswith(("$", "-", "{", "[", "*")) or _REFERENCE.match(value):
        return found.group()
    return f"{found['word']}{found['quote']}{MASK}"


def _bare(line: str, keyed: re.Match[str] | None) -> str:
    """The line without any literal; its key and references stay."""
    if keyed is None:
        item = re.match(r"^(\s*(?:-\s+)?)", line)
        lead = item.group() if item else ""
        rest = line[len(lead) :]
        return lead + (_QUOTED.sub(_literal, rest) if _QUOTED.search(rest) else MASK)
    value = keyed["value"].strip()
    if _OPENS.match(value) or _REFERENCE.match(value):
        return line
    if value[0] in "{[":
        return keyed["head"] + (_QUOTED.sub(_literal, value) if _QUOTED.search(value) else MASK)
    if value[0] in "\"'":
        return keyed["head"] + _QUOTED.sub(_literal, value)
    return keyed["head"] + _kept(value)


def _literal(found: re.Match[str]) -> str:
    quote, inner = found.group()[0], found.group()[1:-1]
    return f"{quote}{_kept(inner)}{quote}" if inner else found.group()


def _kept(value: str) -> str:
    """What may be shown of a value: the references in it."""
    references = _IN_TEXT.findall(value)
    if not references:
        return MASK
    rest = _IN_TEXT.sub("", value)
    return "".join(references) if not rest.strip() else f"{MASK}{''.join(references)}"


def _speaks(line: str) -> bool:
    return bool(_SPEAKS.search(_NAMES_ONLY.sub("", line)))


def _indented(line: str) -> str:
    return line[: len(line) - len(line.lstrip())] + MASK


def _in_key(lines: Sequence[str], index: int) -> bool:
    """Whether the line stands inside a key or certificate in PEM."""
    if "-----BEGIN" in lines[index] or "-----END" in lines[index]:
        return True
    for line in reversed(lines[max(index - 200, 0) : index]):
        if "-----END" in line:
            return False
        if "-----BEGIN" in line:
            return True
    return False


def _in_secret(lines: Sequence[str], index: int) -> bool:
    """Whether the document or block around the line is a Secret, or a variable that is named like one."""
    start = index
    while start > 0 and not _CHUNK.match(lines[start]):
        start -= 1
    end = index + 1
    while end < len(lines) and not _CHUNK.match(lines[end]):
        end += 1
    chunk = "\n".join(lines[start:end])
    return bool(_SECRET_OBJECT.search(chunk)) or bool(_SECRET_VARIABLE.match(lines[start]))


def _under_secret_name(lines: Sequence[str], index: int) -> bool:
    """Whether a key above that the line belongs to speaks of a secret, or a name beside its value does."""
    if _VALUE_KEY.match(lines[index]):
        beside = [*lines[max(index - 2, 0) : index], *lines[index + 1 : index + 3]]
        if any(_NAME_KEY.search(one) and _speaks(one) for one in beside):
            return True
    keys = (_KEYED.match(line) for line in _parents(lines, index))
    return any(found is not None and _speaks(found["key"]) for found in keys)


def _parents(lines: Sequence[str], index: int) -> Iterator[str]:
    depth = _depth(lines[index])
    for line in reversed(lines[max(index - _ABOVE, 0) : index]):
        if not line.strip():
            continue
        if _depth(line) < depth:
            depth = _depth(line)
            yield line
        if depth == 0:
            return


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
