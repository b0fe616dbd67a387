"""Requests to a Kubernetes API server, and rules that allow them."""

from __future__ import annotations

from msgspec import Struct


class Request(Struct, frozen=True, order=True):
    """One kind of request.

    ``resource`` holds the subresource behind a slash (``pods/log``). ``namespace`` is empty for requests over the whole
    cluster, ``name`` where no single object is meant. With ``path`` it asks for a URL that is no resource, and the
    other fields are empty.
    """

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


class Rule(Struct, frozen=True, order=True):
    """One rule of a role, by Kubernetes' names: either of resources or of URLs."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


class NamespaceRules(Struct, frozen=True):
    """The rules of a Role."""

    namespace: str
    rules: tuple[Rule, ...]


class LearnedRights(Struct, frozen=True):
    """What one ServiceAccount has used.

    ``cluster`` are rules for a ClusterRole, ``namespaces`` for a Role each. ``refused`` are requests that it made and
    that lead to more rights, so that no rule was learned from them; ``allowed`` those that a person let pass.
    """

    namespace: str
    name: str
    cluster: tuple[Rule, ...] = ()
    namespaces: tuple[NamespaceRules, ...] = ()
    refused: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    requests: int = 0


class Learned(Struct, frozen=True):
    """Everything that was learned from one audit log. ``first`` and ``last`` are the log's own times."""

    version: int
    source: str
    first: str
    last: str
    events: int
    accounts: tuple[LearnedRights, ...]


class Denied(Struct, frozen=True):
    """A kind of request that was refused so many ``times``. ``who`` is the log's name, ``resource`` a URL where that is
    no resource; ``name`` is ``*`` where there were too many to tell apart.
    """

    who: str
    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    times: int


class SecretRead(Struct, frozen=True):
    """Secrets that were read so many ``times``. Without ``name`` a namespace's, without both the whole cluster's."""

    who: str
    verb: str
    namespace: str
    name: str
    times: int


class AccessReport(Struct, frozen=True):
    """Refusals and reads of Secrets in an audit log, the most frequent first."""

    first: str
    last: str
    events: int
    unread: int
    denied: tuple[Denied, ...]
    secrets: tuple[SecretRead, ...]
