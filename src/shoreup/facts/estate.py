"""The facts of one estate: plain data that concerns read.

Each fact names the resource that it is read from (``resource``, the key) and the route of each field that a
concern may point at. Facts hold no trees and can be sent between processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.products import Products, with_products
from shoreup.facts.roots import LooseFile, TerraformRoot
from shoreup.model.access import LearnedRights
from shoreup.model.finding import Place
from shoreup.model.location import Route, Span
from shoreup.model.measured import Measured
from shoreup.model.pin import ChartPin, ImagePin
from shoreup.model.proof import Proof
from shoreup.model.resource import Resource
from shoreup.model.settings import Settings
from shoreup.model.value import Unknown, Value
from shoreup.sources.repository import RepositoryFile

T = TypeVar("T")


class Image(Struct, frozen=True, eq=False):
    """A container image where it is asked for.

    ``text`` is the reference with ``*`` for unknown parts. ``tag`` is ``None`` where the reference has
    none, and an :class:`Unknown` where it is not decided. ``tag_chars`` are the tag's characters in the
    field's string when it stands there. ``product`` is the product's id in the product data, ``""`` when not known;
    ``version`` is what the tag says of the version, ``""`` where it says nothing.
    """

    place: Place
    text: str
    registry: str
    repository: str
    tag: str | Unknown | None
    digest: str | Unknown | None
    tag_chars: tuple[int, int] | None = None
    product: str = ""
    version: str = ""
    pull_policy: str | None = None

    @property
    def tag_place(self) -> Place:
        """The tag where it stands, the whole reference where it has none."""
        return self.place if self.tag_chars is None else replace(self.place, chars=self.tag_chars)


class Port(Struct, frozen=True, eq=False):
    """A declared container port. ``number`` is ``None`` where it is not decided."""

    name: str
    number: int | None
    protocol: str


class Mount(Struct, frozen=True, eq=False):
    """A volume as a container sees it. ``volume`` is the name in the pod."""

    volume: str
    path: str
    sub_path: str
    read_only: bool
    route: Route


class Container(Struct, frozen=True, eq=False):
    """A container of a workload. ``route`` leads to the container in the resource; ``body`` is what stands there."""

    name: str
    route: Route
    body: Mapping[str, Value]
    image: Image
    init: bool
    ports: tuple[Port, ...]
    mounts: tuple[Mount, ...]
    command: tuple[Value, ...]
    """``command`` and ``args`` together; items may be unknown."""
    env: Mapping[str, Value]
    """Literal environment values by name; references to Secrets and ConfigMaps are in ``body``."""
    sidecar: bool = False
    """An init container that keeps running beside the others (``restartPolicy: Always``)."""
    open: str = ""
    """Why something of the container may be missing here (an undecided block), empty when all of it is known."""


class Volume(Struct, frozen=True, eq=False):
    """A volume of a pod, followed to what is behind it.

    ``kind`` is ``claim``, ``nfs``, ``host-path``, ``empty-dir``, ``config-map``, ``secret``, ``csi``, ``projected`` or
    ``other``. ``claim`` is the claim's name. ``server`` and ``path`` say where the bytes lie when the estate decides it
    (an NFS server, a host path, through PersistentVolume and StorageClass). ``access_modes`` are the claim's or
    volume's, ``storage_class`` the claim's. ``source`` is the name of the ConfigMap or Secret of a volume that has one,
    ``medium`` is ``Memory`` for an ``empty-dir`` on tmpfs. ``undecided`` says why what is behind it is not known.
    """

    name: str
    route: Route
    kind: str
    claim: str = ""
    server: str = ""
    path: str = ""
    storage_class: str = ""
    access_modes: tuple[str, ...] = ()
    size: str = ""
    read_only: bool = False
    source: str = ""
    medium: str = ""
    undecided: str = ""
    somewhere_below: bool = False
    """``path`` is the export of a storage class; the volume is a folder in it whose name only the cluster knows."""


class Workload(Struct, frozen=True, eq=False):
    """Something that runs pods.

    ``kind`` is Kubernetes' (Deployment, StatefulSet, DaemonSet, Job, CronJob, Pod, ReplicaSet). ``pod_route`` leads to
    the pod spec in ``resource``. ``replicas`` is ``None`` for kinds that have none. ``enabled`` is false for zero
    replicas, a suspended CronJob, a disabled release. ``partial`` says that the pod is only partly known (values of a
    chart whose defaults are not known), so that nothing may be concluded from what is absent.
    """

    resource: Resource
    kind: str
    namespace: str
    name: str
    labels: Mapping[str, Value]
    """The pod's labels."""
    pod: Mapping[str, Value]
    pod_route: Route
    containers: tuple[Container, ...]
    volumes: tuple[Volume, ...]
    replicas: int | Unknown | None
    enabled: bool = True
    partial: bool = False
    schedule: Value = None
    """A CronJob's schedule."""
    least_replicas: int | None = None
    """The least number that an autoscaler keeps; ``replicas`` is then an :class:`Unknown`."""
    most_replicas: int | None = None
    """The most that an autoscaler makes, where the estate says it."""
    service_account: str = ""
    open: str = ""
    """Why the pod is only partly known, empty when all of it is."""


class Service(Struct, frozen=True, eq=False):
    """A Kubernetes Service and the workloads that its selector matches in its namespace."""

    resource: Resource
    namespace: str
    name: str
    ports: tuple[Port, ...]
    target_ports: tuple[Value, ...]
    workloads: tuple[Workload, ...]


class Database(Struct, frozen=True, eq=False):
    """A workload (or a database operator's cluster) that keeps data in an engine. ``product`` as in :class:`Image`."""

    workload: Workload | None
    resource: Resource
    product: str
    version: str
    namespace: str
    name: str
    place: Place
    volumes: tuple[Volume, ...]
    likely: bool = False
    """The image is not known; how it is used says what it is."""


class Script(Struct, frozen=True, eq=False):
    """A program inside the estate, as text.

    ``place`` is the field (or file) that holds it. ``language`` is ``shell`` or ``python``. ``text`` is what is known
    of it; ``complete`` is false when parts are unknown, which stand at the characters ``gaps``. ``flags`` are the
    options of the shell that runs it (``-ec``). ``names`` are the variables that Kubernetes puts in as ``$(NAME)``. A
    command without a shell is text too; ``pieces`` then lead back to its items.
    """

    place: Place
    language: str
    text: str
    complete: bool
    workload: Workload | None = None
    container: Container | None = None
    gaps: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    pieces: tuple[Piece, ...] = ()


class Piece(Struct, frozen=True):
    """Characters ``start`` to ``end`` of a script's text that stand in the field at ``route``.

    They are its characters from ``offset`` on, or, when ``offset`` is -1, the whole of it.
    """

    start: int
    end: int
    route: Route
    offset: int = -1


class Middleware(Struct, frozen=True, eq=False):
    """A named piece of a proxy's chain (Traefik Middleware, an nginx annotation), with what it does."""

    namespace: str
    name: str
    kinds: tuple[str, ...]
    """Such as ``rateLimit``, ``forwardAuth``, ``chain``."""
    place: Place


class WayIn(Struct, frozen=True, eq=False):
    """A way in from outside: Ingress, IngressRoute, HTTPRoute, a tunnel's rule.

    ``controller`` is ``traefik``, ``nginx``, ``gateway``, ``haproxy`` ... ``middlewares`` are those of its chain that
    were found, chains flattened; ``missing`` are names that the estate does not declare. ``undecided`` says
    why the chain is not known. ``internet`` is whether it is open to the internet: ``None`` when nothing in the
    estate says so.
    """

    resource: Resource
    namespace: str
    name: str
    controller: str
    hosts: tuple[str, ...]
    services: tuple[Service, ...]
    service_names: tuple[str, ...]
    middlewares: tuple[Middleware, ...]
    missing: tuple[str, ...]
    place: Place
    internet: bool | None
    undecided: str = ""


class Grant(Struct, frozen=True, eq=False):
    """A subject bound to a role. ``rules`` are the role's, empty when it is not in the estate."""

    resource: Resource
    subject_kind: str
    subject: str
    subject_namespace: str
    role_kind: str
    role: str
    rules: tuple[Mapping[str, Value], ...]
    cluster_wide: bool
    place: Place
    """The role's name in the binding."""
    subject_place: Place


class ConfigEntry(Struct, frozen=True, eq=False):
    """One key of a ConfigMap or Secret."""

    resource: Resource
    kind: str
    namespace: str
    name: str
    key: str
    value: Value
    route: Route
    source_path: str = ""
    """The file that the value is read from (``file("...")``), when it is."""
    binary: bool = False
    """The value stands under ``binaryData`` or is Base64, as in a Secret's ``data``."""


class Release(Struct, frozen=True, eq=False):
    """A Helm chart as the estate installs it.

    ``version`` is ``None`` when it is absent. ``open`` says why some of its values are not known.
    """

    resource: Resource
    namespace: str
    name: str
    chart: str
    repository: str
    version: str | Unknown | None
    values: Mapping[str, Value]
    values_route: Route
    place: Place
    version_place: Place
    open: str = ""
    unversioned: Route = ()
    """Where a version that is absent would be written, in the resource of ``version_place``."""


class Backup(Struct, frozen=True, eq=False):
    """A job that copies data away.

    ``tool`` is the command (``pg_dump``, ``mysqldump``, ``tar``, ``restic`` ...). ``protects`` are the databases or
    volumes that it reads, ``target`` the volume (or remote) that it writes to. ``retention`` are the commands or fields
    that remove old copies there. All places lie in ``script`` or in the resource.
    """

    workload: Workload | None
    resource: Resource
    name: str
    namespace: str
    tool: str
    place: Place
    protects_databases: tuple[Database, ...]
    protects_volumes: tuple[tuple[Workload, Volume], ...]
    target_volume: Volume | None
    target_path: str
    target_remote: str
    writes_new_file: bool | None
    """Whether each run makes a new file (``None``: not decided)."""
    retention: tuple[Retention, ...]
    consistent: bool | None
    consistency_note: str
    schedule: Value
    undecided: str = ""
    recurs: bool = False
    """Whether it runs again and again (a CronJob, a loop with a pause), not once."""
    path_place: Place | None = None
    """Where the path is written that it writes to."""
    reads_paths: tuple[str, ...] = ()
    """The files or folders that it reads, as the program names them."""
    copied_on: tuple[Backup, ...] = ()
    """Jobs that carry the copies further, to another volume or away."""
    within: tuple[tuple[Workload, Volume], ...] = ()
    """The live data, whose own folder the copies are written into."""
    container: Container | None = None
    """What runs it; ``None`` where an operator does, or where it runs in the server's own container."""
    reporting: Reporting | None = None
    """What becomes of a failure; ``None`` where an operator makes the copies."""
    covers: tuple[tuple[str, str], ...] = ()
    """Claims that an operator copies, as patterns of namespace and name."""
    may_cover: str = ""
    """Why it is not decided what an operator copies."""
    policy: PolicyField | None = None
    """Where an operator that removes nothing yet can be told to."""
    archive: ObjectArchive | None = None
    """Where an operator keeps base backups and WAL."""


class ObjectArchive(Struct, frozen=True, eq=False):
    """An archive of base backups and WAL in an object store.

    ``destination`` is its address (``s3://bucket/path``, no slash at the end), ``server`` the folder in it,
    ``endpoint`` the store's own address. ``image`` is what the archived server runs, ``retention`` how long its copies
    are kept, both as written. ``databases`` are those that somebody declares for the server. ``undecided`` says why
    the place is not known.
    """

    destination: str
    server: str
    endpoint: str = ""
    image: str = ""
    retention: str = ""
    databases: tuple[str, ...] = ()
    undecided: str = ""

    @property
    def place(self) -> str:
        """The server's folder, by its whole address."""
        return f"{self.destination}/{self.server}"


class PolicyField(Struct, frozen=True, eq=False):
    """A field that tells an operator what to keep, with a value that keeps a month or more."""

    place: Place
    value: Value


class Reporting(Struct, frozen=True, eq=False):
    """What becomes of a failure of a backup's command.

    ``swallowed`` names the command behind a pipe whose status hides the copy's, ``decider`` the command whose status is
    the program's instead; the places are theirs. ``heartbeat`` is whether the container tells anyone.
    """

    swallowed: str = ""
    swallowed_at: Place | None = None
    decider: str = ""
    decider_at: Place | None = None
    heartbeat: bool = False


class Retention(Struct, frozen=True, eq=False):
    """Something that removes old copies. ``by`` is ``age``, ``count``, ``policy``, ``size`` or ``unclear``.

    ``keeps_at_least`` is the number of copies that are left however old they are, ``None`` where nothing sees to that.
    ``undecided`` says why that number is not known.
    """

    place: Place
    by: str
    command: str
    age_days: float | None
    keeps_at_least: int | None
    undecided: str = ""
    takes_newest: bool | None = None
    """Whether it removes the newest copies; ``None`` where that is not decided."""


class NodePool(Struct, frozen=True, eq=False):
    """Nodes that the estate declares: labels and taints, with the number of nodes when it is known."""

    resource: Resource | None
    name: str
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, Value], ...]
    count: int | None
    place: Place


class CodeBlock(Struct, frozen=True, eq=False):
    """A block at the top of a file: ``resource``, its labels, and its lines with the comments before it."""

    kind: str
    labels: tuple[str, ...]
    span: Span
    lines: int = 0


class CodeFile(Struct, frozen=True, eq=False):
    """A file of Terraform with its size in lines."""

    path: str
    lines: int
    subjects: Mapping[str, int]
    """Blocks by kind, such as ``resource kubernetes_deployment``."""
    blocks: tuple[CodeBlock, ...] = ()
    """One by one, in long files alone."""


class Comment(Struct, frozen=True, eq=False):
    """A comment on live code. ``text`` is without its markers; ``about`` is the resource that encloses or follows
    it.
    """

    span: Span
    text: str
    resource: int
    route: Route = ()
    lines: tuple[str, ...] = ()
    """The comment line by line, where the reader knows it."""
    language: str = "hcl"
    """``hcl`` or ``yaml``. Of YAML only the comments of files are here that may say that something does not work."""


class StateBackend(Struct, frozen=True, eq=False):
    """Where a root of Terraform keeps its state. ``kind`` is empty where the root names no backend.

    ``encrypted`` says that the root encrypts the state itself.
    """

    root: str
    kind: str
    place: Place
    encrypted: bool = False


class IgnoredChange(Struct, frozen=True, eq=False):
    """A Terraform ``lifecycle { ignore_changes }`` entry, as a route of the Kubernetes object."""

    resource: Resource
    route: Route
    place: Place
    all_fields: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Estate:
    """Every fact of an estate, with the resources behind them."""

    resources: tuple[Resource, ...] = ()
    workloads: tuple[Workload, ...] = ()
    services: tuple[Service, ...] = ()
    images: tuple[Image, ...] = ()
    databases: tuple[Database, ...] = ()
    scripts: tuple[Script, ...] = ()
    middlewares: tuple[Middleware, ...] = ()
    ways_in: tuple[WayIn, ...] = ()
    grants: tuple[Grant, ...] = ()
    config: tuple[ConfigEntry, ...] = ()
    releases: tuple[Release, ...] = ()
    node_pools: tuple[NodePool, ...] = ()
    code_files: tuple[CodeFile, ...] = ()
    comments: tuple[Comment, ...] = ()
    ignored_changes: tuple[IgnoredChange, ...] = ()
    backends: tuple[StateBackend, ...] = ()
    budgets: tuple[Resource, ...] = ()
    terraform_roots: tuple[TerraformRoot, ...] = ()
    loose_files: tuple[LooseFile, ...] = ()
    aside: Aside | None = None
    """What is committed in folders of examples and of what was retired; only who asks for it means it."""
    products: Products = field(default_factory=with_products)
    today: date = field(default_factory=date.today)
    """The day that versions and expiries are judged by."""
    settings: Settings = field(default_factory=Settings)
    """What the owner says of the estate: objectives, tiers, protections, thresholds."""
    repository: tuple[RepositoryFile, ...] = ()
    """Files that are no resources and say how the estate is run."""
    part_of_more: bool = False
    """Whether only a part of the repository was read, so that what is missing may be elsewhere in it."""
    origin: str = ""
    """The host and owner that the repository was cloned from, as ``github.com/me``; empty where that is not known."""
    last_changes: Mapping[str, date] = field(default_factory=dict)
    """The day of the last commit for each of the ``repository``'s files that git can date."""
    pins: Mapping[str, ImagePin] = field(default_factory=dict)
    """What moving image references stood for when somebody looked, by reference written in full."""
    chart_pins: Mapping[tuple[str, str], ChartPin] = field(default_factory=dict)
    """The chart versions that were installed, by namespace and release."""
    learned_rights: Mapping[tuple[str, str], LearnedRights] = field(default_factory=dict)
    """What ServiceAccounts have used, by namespace and name, as an audit log told it."""
    proofs: tuple[Proof, ...] = ()
    """What drills have seen, in any order; :mod:`shoreup.facts.proofs` says which of it counts."""
    measured: Measured | None = None
    """What containers used; ``None`` where nothing that watches them was asked."""
    into_modules: bool = False
    """Whether the owner asked for modules where a long file is split."""
    by_kind: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    by_key: Mapping[int, Resource] = field(default_factory=dict)
    find_backups: Callable[[Estate], tuple[Backup, ...]] = lambda _: ()
    _worked_out: dict[object, object] = field(default_factory=dict, init=False, repr=False)

    @property
    def backups(self) -> tuple[Backup, ...]:
        """The jobs that copy data away. They are looked for in programs, which only whoever asks should wait for."""
        return self.once(self.find_backups)

    def once(self, work: Callable[[Estate], T]) -> T:
        """What ``work`` makes of this estate: worked out on first use, and kept for whoever asks next."""
        if work not in self._worked_out:
            self._worked_out[work] = work(self)
        return cast(T, self._worked_out[work])


class Aside(Struct, frozen=True, eq=False):
    """What lies in files that nothing applies, as an estate of its own.

    No place in it is one of the estate's; ``find`` makes it a place in a file.
    """

    estate: Estate
    find: Callable[[Place], Place]
