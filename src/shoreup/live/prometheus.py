"""What a Prometheus has recorded, asked by its HTTP API in single questions.

Credentials come from the environment or a file and never from an argument, which every process of the machine can read:
``SHOREUP_PROMETHEUS_TOKEN``, ``SHOREUP_PROMETHEUS_TOKEN_FILE``, or ``SHOREUP_PROMETHEUS_USER`` together with
``SHOREUP_PROMETHEUS_PASSWORD``. They go to the address that was named and nowhere else: no redirect is followed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from shoreup.model.errors import UserError

if TYPE_CHECKING:
    import requests

CONNECT = 5.0
"""Seconds until the server must have taken the connection."""
ANSWER = 60.0
"""Seconds in which it must send something: a quantile over a week is work."""
LARGEST = 16 * 1024 * 1024
TOKEN = "SHOREUP_PROMETHEUS_TOKEN"  # noqa: S105  # the name of a variable


class PrometheusError(Exception):
    """It gave no usable answer; the text says why, without what was sent."""


class _Sample(Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str]


class _Result(Struct, frozen=True):
    resultType: str = ""  # noqa: N815  # Prometheus' own name
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Answer(Struct, frozen=True):
    status: str = ""
    error: str = ""
    data: _Result = field(default_factory=_Result)


class Prometheus:
    """One server. Raises :class:`UserError` for an address or credentials that cannot be used."""

    def __init__(self, url: str, environment: Mapping[str, str] | None = None) -> None:
        said = os.environ if environment is None else environment
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"{_plainly(url)!r} is no address of a Prometheus; one begins with http:// or https://.")
        if parts.username is not None or parts.password is not None:
            raise UserError(
                "The address of Prometheus holds credentials, which others can read there. Leave them out and set "
                f"{TOKEN}, or SHOREUP_PROMETHEUS_USER and SHOREUP_PROMETHEUS_PASSWORD."
            )
        self.name = parts.netloc
        """How it is called in what Shoreup prints and writes."""
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/api/v1/query"
        self._session = _session(said)

    def __enter__(self) -> Prometheus:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def by_container(self, question: str, moment: float) -> Mapping[str, float]:
        """The answer to a question at a time (seconds since 1970), by the label ``container``.

        Raises :class:`PrometheusError`. What is no number is left out.
        """
        answer = self._ask(question, moment)
        if answer.data.resultType != "vector":
            raise PrometheusError(f"{self.name} answers in a way that Prometheus does not")
        try:
            samples = msgspec.json.decode(answer.data.result, type=list[_Sample])
            values = {one.metric.get("container", ""): float(one.value[1]) for one in samples}
        except (msgspec.ValidationError, ValueError):
            raise PrometheusError(f"{self.name} answers in a way that Prometheus does not") from None
        return {name: value for name, value in values.items() if math.isfinite(value)}

    def _ask(self, question: str, moment: float) -> _Answer:
        import requests

        form = {"query": question, "time": f"{moment:.3f}", "timeout": f"{ANSWER - CONNECT:g}s"}
        try:
            with self._session.post(
                self._url, data=form, timeout=(CONNECT, ANSWER), allow_redirects=False, stream=True
            ) as response:
                content = _bounded(response, self.name)
                status = response.status_code
        except requests.RequestException as problem:
            raise PrometheusError(f"{self.name} does not answer: {type(problem).__name__}") from None
        if status in (requests.codes.unauthorized, requests.codes.forbidden):
            raise PrometheusError(f"{self.name} wants a log-in: set {TOKEN} or {TOKEN}_FILE")
        if status in range(300, 400):
            raise PrometheusError(f"{self.name} sends elsewhere ({status}); name the address that answers itself")
        try:
            answer = msgspec.json.decode(content, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise PrometheusError(f"{self.name} answers {status}, and not as Prometheus does") from None
        if status != requests.codes.ok or answer.status != "success":
            raise PrometheusError(f"{self.name} answers {status}: {answer.error[:200] or 'no reason given'}")
        return answer


def _bounded(response: requests.Response, name: str) -> bytes:
    content = b""
    for piece in response.iter_content(65536):
        content += piece
        if len(content) > LARGEST:
            raise PrometheusError(f"{name} sends more than 16 MiB for one question")
    return content


def _session(said: Mapping[str, str]) -> requests.Session:
    try:
        import requests
    except ImportError:
        raise UserError(
            "Asking a Prometheus needs the extra 'prometheus': pip install 'shoreup[prometheus]'."
        ) from None
    session = requests.Session()
    token = said.get(TOKEN, "")
    file = said.get(f"{TOKEN}_FILE", "")
    if file and not token:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise UserError(f"The file that {TOKEN}_FILE names cannot be read.") from None
    if not token.isascii() or not token.isprintable():
        raise UserError(f"What {TOKEN} holds is no token: it has characters that no header may have.")
    user = said.get("SHOREUP_PROMETHEUS_USER", "")
    if token:
        session.auth = _Bearer(token)
    elif user:
        session.auth = (user, said.get("SHOREUP_PROMETHEUS_PASSWORD", ""))
    return session


class _Bearer:
    """Puts the token on, also where a ``.netrc`` knows the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _plainly(url: str) -> str:
    """An address without what may be a secret in it."""
    return url.rpartition("@")[2].partition("?")[0][:100]
