"""What a registry says of an image: the digest that a tag names today, and which finer tags name the same one.

The OCI distribution API is spoken by oras-py, which also finds credentials where docker and podman keep them. What is
added here is distrust: every digest is computed from the manifest that came with it, every request ends in time, and a
registry that says "later" is asked later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct

from shoreup.model.errors import UserError

if TYPE_CHECKING:
    import requests
    from oras.container import Container
    from oras.provider import Registry as Provider

TIMEOUT = 20.0
"""Seconds for one request."""
RETRIES = 3
MOST_TAGS = 20_000
MOST_COMPARED = 60
"""Tags that are looked at to find the one that names the same image, the likeliest first."""

_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_HOSTS = {"docker.io": "registry-1.docker.io"}
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(.*)", re.DOTALL)
_UNSTABLE = re.compile(r"(?:alpha|beta|rc|preview|dev|nightly|snapshot|edge|canary)", re.IGNORECASE)


class RegistryError(Exception):
    """The registry gave no usable answer; the text says why."""


class Found(Struct, frozen=True):
    """What a tag names: the manifest's digest, and the finest version tag that names the same (or the tag itself)."""

    tag: str
    digest: str


class Registry:
    """One registry, asked for many images. ``host`` is as images write it; ``insecure`` speaks plain HTTP."""

    def __init__(self, host: str, *, insecure: bool = False) -> None:
        self.host = host
        self._address = _HOSTS.get(host, host)
        self._provider = _provider(self._address, insecure=insecure)

    def find(self, repository: str, tag: str, *, finer: bool = True) -> Found:
        """What ``repository:tag`` names today. Raises :class:`RegistryError`."""
        digest = self.digest(repository, tag)
        if not finer:
            return Found(tag, digest)
        for candidate in likely(tag, self.tags(repository))[:MOST_COMPARED]:
            if self.digest(repository, candidate, trusted=True) == digest:
                return Found(candidate, digest)
        return Found(tag, digest)

    def digest(self, repository: str, tag: str, *, trusted: bool = False) -> str:
        """The digest of a manifest, computed from its bytes; ``trusted`` takes the registry's word to compare with."""
        container = self._container(repository, tag)
        url = f"{self._provider.prefix}://{container.manifest_url()}"
        response = self._ask(url, "HEAD" if trusted else "GET", container)
        said = response.headers.get("Docker-Content-Digest", "")
        if trusted:
            return said
        made = f"sha256:{sha256(response.content).hexdigest()}"
        if said and said != made:
            raise RegistryError(f"{self.host} calls {repository}:{tag} {said[:19]}, but sent bytes of {made[:19]}")
        return made

    def tags(self, repository: str) -> list[str]:
        """Every tag of a repository, up to a bound. Raises :class:`RegistryError`."""
        container = self._container(repository, "")
        url: str | None = f"{self._provider.prefix}://{container.tags_url(N=1000)}"
        found: list[str] = []
        while url and len(found) < MOST_TAGS:
            response = self._ask(url, "GET", container)
            try:
                held = response.json().get("tags")
            except (ValueError, AttributeError):
                raise RegistryError(f"{self.host} sent no list of tags of {repository}") from None
            new = [tag for tag in held or () if isinstance(tag, str)]
            found += new
            link = response.links.get("next", {}).get("url") if new else None
            url = f"{self._provider.prefix}://{self._address}{link}" if link and link.startswith("/") else None
        return found

    def _container(self, repository: str, tag: str) -> Container:
        from oras.container import Container

        return Container(f"{self._address}/{repository}{f':{tag}' if tag else ''}")

    def _ask(self, url: str, method: str, container: Container) -> requests.Response:
        import requests

        try:
            self._provider.auth.load_configs(container)
            # without the library's own retries, which wait two minutes for a login that nobody will give
            once = type(self._provider).do_request.__wrapped__
            response = once(self._provider, url, method, headers={"Accept": _ACCEPT})
        except requests.RequestException as problem:
            raise RegistryError(f"{self.host} does not answer: {type(problem).__name__}") from None
        except ValueError:
            raise RegistryError(
                f"{self.host} wants a login; 'docker login {self.host}' or podman's leaves one"
            ) from None
        assert isinstance(response, requests.Response)
        if response.status_code != requests.codes.ok:
            raise RegistryError(f"{self.host} answers {response.status_code} for {container.api_prefix}")
        return response


def likely(tag: str, tags: Sequence[str]) -> list[str]:
    """Full versions of the same line and variant as a tag, the newest first: ``7-alpine`` may be ``7.4.2-alpine``."""
    match = _VERSION.fullmatch(tag)
    prefix, variant = (match.group(1), match.group(2)) if match else ("", _variant(tag))
    return [one for _, one in sorted(_versions(tag, tags, prefix, variant), reverse=True)]


def _versions(tag: str, tags: Sequence[str], prefix: str, variant: str) -> Iterator[tuple[tuple[int, ...], str]]:
    for one in tags:
        match = _VERSION.fullmatch(one)
        if match is None or one == tag or match.group(2) != variant or _UNSTABLE.search(one):
            continue
        number = match.group(1)
        finer = number.startswith(f"{prefix}.") if prefix else "." in number
        if finer and len(number) < 40:
            yield tuple(int(part) for part in number.split(".")), one


def _variant(tag: str) -> str:
    """What stands behind a channel's name: ``-alpine`` of ``latest-alpine``."""
    _, dash, rest = tag.partition("-")
    return f"{dash}{rest}"


def _provider(address: str, *, insecure: bool) -> Provider:
    try:
        from oras.provider import Registry as Provider
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry
    except ImportError:
        raise UserError("Asking a registry needs the extra: pip install 'shoreup[registry]'.") from None

    class Patient(HTTPAdapter):
        """Ends every request in time."""

        def send(self, request: requests.PreparedRequest, **said: object) -> requests.Response:  # type: ignore[override]
            said["timeout"] = TIMEOUT
            return super().send(request, **said)  # type: ignore[arg-type]  # handed on as they came

    provider = Provider(hostname=address, insecure=insecure)
    retry = Retry(RETRIES, backoff_factor=0.5, status_forcelist=(429, 502, 503, 504), raise_on_status=False)
    provider.session.mount("https://", Patient(max_retries=retry))
    provider.session.mount("http://", Patient(max_retries=retry))
    return provider
