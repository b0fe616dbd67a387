"""Pages of administration that ask nobody who they are, and the way from the internet to them.

Three kinds: a product that is told to let anyone in (:mod:`.switches`), one that has no log-in at all
(``data/open_pages.json``), and a proxy's own dashboard on a route. A page that a chart or an operator publishes has
its host in the values or in the object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Estate, WayIn
from shoreup.facts.fields import items, known_text, mapping, text, truth, why_open
from shoreup.facts.knowledge import table
from shoreup.facts.ways_in.dropped_guards import Dropped, dropped
from shoreup.facts.ways_in.exposure import Exposure, private_name, read_exposure, spoken
from shoreup.facts.ways_in.gates import Access, access_to, asks, filtered
from shoreup.facts.ways_in.reach import open_by_contrast
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at

_DASHBOARD = ("api@internal", "dashboard@internal")
_DASHBOARD_TITLE = "Traefik's dashboard"
_WRITING = frozenset({"admin", "editor"})
_PUBLISHED_BY = ("ingress", "httpRoute", "route")
_MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"


class _Page(Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    products: tuple[str, ...]
    services: tuple[str, ...]
    source: str
    checked: str


@cache
def _bundled() -> tuple[_Page, ...]:
    return table("open_pages", tuple[_Page, ...])


class AdminPage(Struct, frozen=True, eq=False):
    """A page that asks nobody. ``says`` completes "the product ...".

    ``internet`` is whether it is open to the internet (``None``: not decided, and ``undecided`` says why); ``likely``
    when only its fenced neighbours say that it is. ``writes`` is whether a visitor may change things, as far as
    the estate says it.
    """

    title: str
    says: str
    resource: Resource
    place: Place
    hosts: tuple[str, ...]
    internet: bool | None
    way: Place | None = None
    likely: bool = False
    writes: bool = True
    undecided: str = ""


def admin_pages(estate: Estate) -> Iterator[AdminPage]:
    """Every page of administration of the estate that asks nobody."""
    for guard in dropped(estate, "dashboard-anonymous"):
        yield _switched(estate, guard)
    for guard in dropped(estate, "auth-disabled"):
        if (
            guard.switch.admin
            and not guard.undecided
            and access_to(estate, guard.workload, guard.container).from_internet
        ):
            yield _switched(estate, guard)
    contrast = {id(estate.ways_in[index]) for index in open_by_contrast(estate)}
    for way in estate.ways_in:
        title = _page_behind(estate, way)
        if title and not filtered(way) and way.internet is not False:
            page = _on_a_way(way, title, likely=id(way) in contrast)
            if page is not None:
                yield page


def _on_a_way(way: WayIn, title: str, *, likely: bool) -> AdminPage | None:
    """A page without a log-in of its own behind a way in; nothing where the way asks, or is not known to be open.

    A proxy's dashboard has no way in but the route before us, so that what is not known of the route is a question of
    its own; other pages are asked about only where the internet certainly reaches them.
    """
    asked = asks(way)
    says = "has no log-in of its own"
    internet = True if way.internet or likely else None
    if asked is True:
        return None
    reason = ""
    if asked is None:
        reason = way.undecided or f"{way.missing[0]} is in its chain and not in the estate"
    elif internet is None:
        reason = "nothing in the estate says whether its route is public"
    if not reason:
        likely = likely and not way.internet
        return AdminPage(
            title=title,
            says=says,
            resource=way.resource,
            place=way.place,
            hosts=way.hosts,
            internet=True,
            way=None,
            likely=likely,
            writes=title != "Hubble",
        )
    if title != _DASHBOARD_TITLE:
        return None
    return AdminPage(
        title=title, says=says, resource=way.resource, place=way.place, hosts=way.hosts, internet=None, undecided=reason
    )


def _page_behind(estate: Estate, way: WayIn) -> str:
    for route in items(mapping(way.resource.body.get("spec")).get("routes")):
        for service in map(mapping, items(mapping(route).get("services"))):
            if text(service.get("name")) in _DASHBOARD and way.hosts:
                return _DASHBOARD_TITLE
    products = {
        container.image.product
        for service in way.services
        for workload in service.workloads
        for container in workload.containers
    }
    for page in _bundled():
        if set(page.services) & set(way.service_names) or set(page.products) & products:
            return page.title
    return ""


def _switched(estate: Estate, guard: Dropped) -> AdminPage:
    resource = estate.by_key.get(guard.resource.parent, guard.resource)
    title = guard.switch.title or (guard.workload.name if guard.workload else resource.name)
    says = f"{guard.switch.says} ({guard.setting})"
    writes = _writes(guard)
    if guard.undecided:
        return AdminPage(
            title=title,
            says=says,
            resource=resource,
            place=guard.place,
            hosts=(),
            internet=None,
            undecided=guard.undecided,
        )
    if guard.workload is not None:
        return _by_ways(estate, guard, access_to(estate, guard.workload, guard.container), title, says, writes)
    published = _published(guard)
    if published is None:
        return AdminPage(
            title=title, says=says, resource=resource, place=guard.place, hosts=(), internet=False, writes=writes
        )
    internet, likely, undecided = _reached(estate, published)
    return AdminPage(
        title=title,
        says=says,
        resource=resource,
        place=guard.place,
        hosts=published.hosts,
        internet=internet,
        way=published.place,
        likely=likely,
        writes=writes,
        undecided=undecided,
    )


def _by_ways(estate: Estate, guard: Dropped, access: Access, title: str, says: str, writes: bool) -> AdminPage:
    assert guard.workload is not None
    contrast = {id(estate.ways_in[index]) for index in open_by_contrast(estate)}
    open_ways = [way for way in access.open if not filtered(way)]
    certain = next((way for way in open_ways if way.internet is True), None)
    likely = next((way for way in open_ways if id(way) in contrast), None)
    way = certain or likely
    unsure = next((one for one in (*access.unclear, *open_ways) if one.internet is not False), None)
    reason = "" if way or not unsure else unsure.undecided or "nothing in the estate says whether its route is public"
    internet = True if way else None if unsure else False
    shown = way or unsure
    return AdminPage(
        title=title,
        says=says,
        resource=guard.workload.resource,
        place=guard.place,
        hosts=shown.hosts if shown else (),
        internet=internet,
        way=shown.place if shown else None,
        likely=way is likely and certain is None and way is not None,
        writes=writes,
        undecided=reason,
    )


def _writes(guard: Dropped) -> bool:
    """Whether the role of a visitor without a name may change things; of most products it may."""
    if guard.switch.concern != "dashboard-anonymous":
        return True
    role: Value = None
    if guard.workload is not None and guard.container is not None:
        role = guard.container.env.get(guard.switch.role_env)
    else:
        route = (*guard.place.route[:-1], "org_role")
        role = at(dict(guard.resource.body), *route)
    return text(role).lower() in _WRITING


# --------------------------------------------------------------------------------- charts and operators' objects


class _Published(Struct, frozen=True, eq=False):
    """How a chart or an operator publishes a page: hosts, names of classes and gateways, annotations."""

    hosts: tuple[str, ...]
    names: tuple[str, ...]
    annotations: Mapping[str, Value]
    controller: str
    place: Place


def _published(guard: Dropped) -> _Published | None:
    """The block of values or of the object, beside the setting, that publishes the page."""
    route = guard.place.route
    body: Value = dict(guard.resource.body)
    for length in range(len(route) - 1, -1, -1):
        holder = mapping(at(body, *route[:length]))
        for key in _PUBLISHED_BY:
            block = mapping(holder.get(key))
            if not block or truth(block.get("enabled")) is False:
                continue
            hosts = _hosts(block)
            if hosts:
                spec = mapping(block.get("spec")) or block
                parents = [mapping(parent) for parent in items(spec.get("parentRefs"))]
                class_name = text(spec.get("ingressClassName")) or text(block.get("className"))
                annotations = mapping(block.get("annotations")) or mapping(
                    mapping(block.get("metadata")).get("annotations")
                )
                names = (class_name, *(text(parent.get("name")) for parent in parents))
                controller = "gateway" if parents else "traefik" if "traefik" in class_name else class_name
                place = Place(guard.resource.key, (*route[:length], key))
                return _Published(hosts, names, annotations, controller, place)
    return None


def _hosts(block: Mapping[str, Value]) -> tuple[str, ...]:
    spec = mapping(block.get("spec")) or block
    found: list[str] = []
    for key in ("hosts", "hostnames", "rules"):
        for item in items(spec.get(key)):
            host = text(mapping(item).get("host")) if isinstance(item, dict) else text(item)
            if host:
                found.append(host)
    return tuple(found)


def _reached(estate: Estate, published: _Published) -> tuple[bool | None, bool, str]:
    """Whether a published page is open to the internet; whether that is only likely; why it is not decided."""
    exposure: Exposure = estate.once(_exposure)
    if any(why_open(value) for value in published.annotations.values()):
        return None, False, "the annotations of its route are not decided"
    if published.annotations.get(_MIDDLEWARES) is not None and published.controller in {"traefik", ""}:
        return None, False, "its route names middlewares that may ask who comes"
    if published.controller.startswith("nginx") and any("auth-" in key for key in published.annotations):
        return False, False, ""
    if all(private_name(host) for host in published.hosts):
        return False, False, ""
    if any(exposure.published(host) for host in published.hosts):
        return True, False, ""
    if any(
        known_text(published.annotations.get(key)) in exposure.proven_issuers
        for key in ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer")
    ):
        return True, False, ""
    said = spoken(published.names)
    if said is not None:
        return said, False, ""
    if _neighbours_fenced(estate, published.controller) and not any("*" in host for host in published.hosts):
        return True, True, ""
    return None, False, "nothing in the estate says whether its route is public"


def _exposure(estate: Estate) -> Exposure:
    return read_exposure(estate.by_kind)


def _neighbours_fenced(estate: Estate, controller: str) -> bool:
    ways: Sequence[WayIn] = [way for way in estate.ways_in if way.controller == controller]
    return any(way.internet is False and filtered(way) for way in ways)
