"""Ways in from outside, with the chain that each passes through.

Five kinds of object say the same in five ways: Ingress, Traefik's IngressRoute, the Gateway API's HTTPRoute, a tunnel's
rule. Here they become one fact. A chain that is not wholly known says so and proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Middleware, Release, Service, WayIn
from shoreup.facts.fields import first, items, known_text, mapping, text, texts, why_open
from shoreup.facts.products import Products
from shoreup.facts.ways_in.exposure import Exposure, covers, private_name, ranges_of, read_exposure, spoken
from shoreup.facts.ways_in.middlewares import Chain, Chains, is_traefik
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.settings import Exposure as Said
from shoreup.model.value import Value

_NGINX = "nginx.ingress.kubernetes.io/"
_TRAEFIK = "traefik.ingress.kubernetes.io/"
_ANNOTATED_PIECES: Mapping[str, tuple[str, str]] = {
    # annotation: (controller, what it does)
    f"{_NGINX}limit-rps": ("nginx", "rateLimit"),
    f"{_NGINX}limit-rpm": ("nginx", "rateLimit"),
    f"{_NGINX}limit-connections": ("nginx", "rateLimit"),
    f"{_NGINX}global-rate-limit": ("nginx", "rateLimit"),
    f"{_NGINX}auth-url": ("nginx", "forwardAuth"),
    f"{_NGINX}auth-type": ("nginx", "basicAuth"),
    f"{_NGINX}whitelist-source-range": ("nginx", "ipAllowList"),
    f"{_NGINX}allowlist-source-range": ("nginx", "ipAllowList"),
    "haproxy.org/rate-limit-requests": ("haproxy", "rateLimit"),
    "haproxy-ingress.github.io/limit-rps": ("haproxy", "rateLimit"),
    "haproxy.org/allow-list": ("haproxy", "ipAllowList"),
    "haproxy.org/whitelist": ("haproxy", "ipAllowList"),
}
_SNIPPETS = (f"{_NGINX}configuration-snippet", f"{_NGINX}server-snippet")
_CONTROLLERS: tuple[tuple[str, str], ...] = (
    ("nginx", "nginx"),
    ("traefik", "traefik"),
    ("haproxy", "haproxy"),
    ("kong", "kong"),
    ("contour", "contour"),
    ("cilium", "cilium"),
    ("istio", "istio"),
    ("alb", "alb"),
)
_HOST_RULE = re.compile(r"Host(?:SNI)?\(([^)]*)\)")
_QUOTED = re.compile(r"[`'\"]([^`'\"]+)[`'\"]")
_CLUSTER_HOST = re.compile(
    r"^(?:[a-z]+://)?(?P<name>[\w-]+)(?:\.(?P<namespace>[\w-]+))?(?:\.svc[\w.-]*)?(?::\d+)?(?:/|$)"
)
_POLICY_PIECES: Mapping[str, Mapping[str, str]] = {
    "BackendTrafficPolicy": {"rateLimit": "rateLimit"},
    "RateLimitPolicy": {"limits": "rateLimit", "rateLimit": "rateLimit"},
    "SecurityPolicy": {
        "extAuth": "forwardAuth",
        "oidc": "oidc",
        "jwt": "jwt",
        "basicAuth": "basicAuth",
        "authorization": "authorization",
    },
    "AuthPolicy": {"rules": "forwardAuth"},
}


_MUTATORS = ("ClusterPolicy", "Policy", "MutatingPolicy", "MutatingAdmissionPolicy", "Assign", "AssignMetadata")
_INGRESS_ANNOTATION = "ingress.kubernetes.io/"
_PATCHED = "ingress.kubernetes.io~1"
_DEEPEST = 14


class _Reader(Struct, frozen=True, eq=False):
    """What every way in is read against."""

    chains: Chains
    services: Mapping[tuple[str, str], tuple[Service, ...]]
    exposure: Exposure
    classes: Mapping[str, str]
    specs: Mapping[tuple[str, str], Mapping[str, Value]]
    policies: Mapping[tuple[str, str, str], tuple[Middleware, ...]]
    products: Products
    annotator: str = ""
    """Why Ingresses may carry further annotations in the cluster; empty where nothing adds any."""

    def named_services(self, resource: Resource, names: Sequence[tuple[str, str]]) -> tuple[Service, ...]:
        """The estate's services by namespace and name, those applied together with the asker first."""
        found: list[Service] = []
        for key in dict.fromkeys(names):
            known = self.services.get(key, ())
            together = [service for service in known if service.resource.root == resource.root]
            found.extend(together or known)
        return tuple(found)

    def internet(
        self, hosts: Sequence[str], chain: Chain, names: Sequence[str], annotations: Mapping[str, Value]
    ) -> bool | None:
        """Whether a way in is open to the internet; ``None`` without evidence."""
        said = self.exposure.said_of_hosts(hosts)
        if said is not None:
            return said
        for piece in chain.middlewares:
            spec = self.specs.get((piece.namespace, piece.name), {})
            if self.exposure.fenced(ranges_of(spec)):
                return False
        for key, (_, what) in _ANNOTATED_PIECES.items():
            if what == "ipAllowList" and self.exposure.fenced(known_text(annotations.get(key)).split(",")):
                return False
        said = self.exposure.said_of_names(names)
        if said is not None:
            return said
        if hosts and all(private_name(host) for host in hosts):
            return False
        published = [self.exposure.published(host, names) for host in hosts]
        if True in published:
            return True
        if known_text(annotations.get("external-dns.alpha.kubernetes.io/cloudflare-proxied")) == "true":
            return True
        for key in ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer"):
            if known_text(annotations.get(key)) in self.exposure.proven_issuers:
                return True
        said = spoken(
            (*names, known_text(annotations.get("external-dns.alpha.kubernetes.io/target")).partition(".")[0])
        )
        if said is not None:
            return said
        return False if published and all(answer is False for answer in published) else None


def read_ways_in(
    by_kind: Mapping[str, Sequence[Resource]],
    services: Sequence[Service],
    middlewares: Sequence[Middleware],
    releases: Sequence[Release],
    products: Products,
    said: Said | None = None,
) -> tuple[WayIn, ...]:
    """Every way in of the estate. ``said`` is what the owner says of who reaches what."""
    by_name: dict[tuple[str, str], tuple[Service, ...]] = {}
    for service in services:
        key = (service.namespace, service.name)
        by_name[key] = (*by_name.get(key, ()), service)
    reader = _Reader(
        chains=Chains(by_kind, middlewares, releases),
        services=by_name,
        exposure=read_exposure(by_kind, said),
        classes=_classes(by_kind),
        specs={
            (resource.namespace or "default", resource.name): mapping(resource.body.get("spec"))
            for resource in by_kind.get("Middleware", ())
        },
        policies=_policies(by_kind),
        products=products,
        annotator=_annotator(by_kind),
    )
    found: list[WayIn] = []
    for resource in by_kind.get("Ingress", ()):
        if resource.api_version.startswith(("networking.k8s.io/", "extensions/")):
            found.append(_ingress(resource, reader))
    for resource in by_kind.get("IngressRoute", ()):
        if is_traefik(resource):
            found.extend(_ingress_routes(resource, reader))
    for resource in by_kind.get("HTTPRoute", ()):
        if resource.api_version.startswith("gateway.networking.k8s.io/"):
            found.append(_http_route(resource, reader))
    found.extend(_tunnels(reader, tuple(found)))
    return tuple(found)


# -------------------------------------------------------------------------------------------------- Ingress


def _ingress(resource: Resource, reader: _Reader) -> WayIn:
    namespace = resource.namespace or "default"
    metadata = mapping(resource.body.get("metadata"))
    annotations = mapping(metadata.get("annotations"))
    spec = mapping(resource.body.get("spec"))
    class_name = text(first(spec.get("ingressClassName"), annotations.get("kubernetes.io/ingress.class")))
    controller = _controller(class_name, annotations, reader.classes)
    hosts, names = _ingress_rules(spec, namespace)
    chain = Chain()
    reason = why_open(metadata.get("annotations")) or why_open(resource.body.get("metadata"))
    if reason or reader.annotator:
        chain.open(reason or reader.annotator)
    for key, (owner, what) in _ANNOTATED_PIECES.items():
        if annotations.get(key) is not None and owner == (controller or owner):
            place = Place(resource.key, ("metadata", "annotations", key))
            chain.add(Middleware(namespace, key, (what,), place))
    if any(annotations.get(key) is not None for key in _SNIPPETS):
        chain.open("a configuration snippet may limit the rate")
    entry_points: tuple[str, ...] = ()
    if controller in {"traefik", ""}:
        reader.chains.named(chain, annotations.get(f"{_TRAEFIK}router.middlewares"), namespace)
        entry_points = tuple(
            name.strip() for name in text(annotations.get(f"{_TRAEFIK}router.entrypoints")).split(",") if name.strip()
        )
        reader.chains.entry_points(chain, entry_points)
    internet = reader.internet(hosts, chain, (class_name, *entry_points), annotations)
    for limit in reader.exposure.limits(hosts):
        chain.add(limit)
    return WayIn(
        resource=resource,
        namespace=namespace,
        name=resource.name,
        controller=controller,
        hosts=hosts,
        services=reader.named_services(resource, names),
        service_names=tuple(dict.fromkeys(name for _, name in names)),
        middlewares=tuple(chain.middlewares),
        missing=tuple(chain.missing),
        place=Place(resource.key),
        internet=internet,
        undecided=chain.undecided,
    )


def _annotator(by_kind: Mapping[str, Sequence[Resource]]) -> str:
    """The policy that may add what a controller obeys to Ingresses when they are applied."""
    for kind in _MUTATORS:
        for policy in by_kind.get(kind, ()):
            if _holds(dict(policy.body), 0):
                return f"{kind} {policy.name} may add annotations to it"
    return ""


def _holds(value: Value, depth: int) -> bool:
    """Whether a key, or a path of a patch, means an annotation of an Ingress's controller."""
    if isinstance(value, dict) and depth < _DEEPEST:
        return any(_INGRESS_ANNOTATION in key or _holds(item, depth + 1) for key, item in value.items())
    if isinstance(value, list) and depth < _DEEPEST:
        return any(_holds(item, depth + 1) for item in value)
    return isinstance(value, str) and _PATCHED in value


def _ingress_rules(spec: Mapping[str, Value], namespace: str) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    hosts: list[str] = []
    names: list[tuple[str, str]] = []
    backends = [mapping(spec.get("defaultBackend")) or mapping(spec.get("backend"))]
    for rule in map(mapping, items(spec.get("rules"))):
        if text(rule.get("host")):
            hosts.append(text(rule.get("host")))
        backends.extend(mapping(mapping(path).get("backend")) for path in items(mapping(rule.get("http")).get("paths")))
    for backend in backends:
        name = text(mapping(backend.get("service")).get("name")) or text(backend.get("serviceName"))
        if name:
            names.append((namespace, name))
    return tuple(dict.fromkeys(hosts)), names


def _classes(by_kind: Mapping[str, Sequence[Resource]]) -> Mapping[str, str]:
    return {
        resource.name: text(mapping(resource.body.get("spec")).get("controller"))
        for resource in by_kind.get("IngressClass", ())
    }


def _controller(class_name: str, annotations: Mapping[str, Value], classes: Mapping[str, str]) -> str:
    """The controller that serves an Ingress: by its class's own word, by the class's name, by whose annotations it
    has.
    """
    for sign in (classes.get(class_name, ""), class_name):
        for word, controller in _CONTROLLERS:
            if word in sign.lower():
                return controller
    if class_name:
        return ""
    owners = {
        controller
        for key in annotations
        for prefix, controller in ((_NGINX, "nginx"), (_TRAEFIK, "traefik"), ("haproxy", "haproxy"))
        if key.startswith(prefix)
    }
    return owners.pop() if len(owners) == 1 else ""


# --------------------------------------------------------------------------------------------- IngressRoute


def _ingress_routes(resource: Resource, reader: _Reader) -> Iterator[WayIn]:
    namespace = resource.namespace or "default"
    spec = mapping(resource.body.get("spec"))
    annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
    entry_points = texts(spec.get("entryPoints"))
    for index, entry in enumerate(items(spec.get("routes"))):
        router = mapping(entry)
        chain = Chain()
        reason = why_open(entry) or why_open(spec.get("entryPoints"))
        if reason:
            chain.open(reason)
        reader.chains.referenced(chain, router.get("middlewares"), namespace)
        reader.chains.entry_points(chain, entry_points)
        hosts = _hosts(text(router.get("match")))
        names = [
            (text(service.get("namespace")) or namespace, text(service.get("name")))
            for service in map(mapping, items(router.get("services")))
            if text(service.get("kind")) in {"", "Service"} and text(service.get("name"))
        ]
        class_name = text(annotations.get("kubernetes.io/ingress.class"))
        internet = reader.internet(hosts, chain, (class_name, *entry_points), annotations)
        for limit in reader.exposure.limits(hosts):
            chain.add(limit)
        route: Route = ("spec", "routes", index)
        yield WayIn(
            resource=resource,
            namespace=namespace,
            name=resource.name,
            controller="traefik",
            hosts=hosts,
            services=reader.named_services(resource, names),
            service_names=tuple(dict.fromkeys(name for _, name in names)),
            middlewares=tuple(chain.middlewares),
            missing=tuple(chain.missing),
            place=Place(resource.key, route),
            internet=internet,
            undecided=chain.undecided,
        )


def _hosts(rule: str) -> tuple[str, ...]:
    return tuple(host for group in _HOST_RULE.findall(rule) for host in _QUOTED.findall(group))


# ------------------------------------------------------------------------------------------------ HTTPRoute


def _http_route(resource: Resource, reader: _Reader) -> WayIn:
    namespace = resource.namespace or "default"
    spec = mapping(resource.body.get("spec"))
    annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
    chain = Chain()
    parents = [mapping(parent) for parent in items(spec.get("parentRefs"))]
    reason = why_open(spec.get("parentRefs")) or why_open(spec.get("rules"))
    if reason:
        chain.open(reason)
    names: list[tuple[str, str]] = []
    for rule in map(mapping, items(spec.get("rules"))):
        _filters(rule, namespace, chain, reader)
        for backend in map(mapping, items(rule.get("backendRefs"))):
            if text(backend.get("kind")) in {"", "Service"} and text(backend.get("name")):
                names.append((text(backend.get("namespace")) or namespace, text(backend.get("name"))))
    for piece in reader.policies.get(("HTTPRoute", namespace, resource.name), ()):
        chain.add(piece)
    for parent in parents:
        where = text(parent.get("namespace")) or namespace
        for piece in reader.policies.get(("Gateway", where, text(parent.get("name"))), ()):
            chain.add(piece)
    hosts = texts(spec.get("hostnames"))
    gateways = tuple(text(parent.get("name")) for parent in parents)
    internet = reader.internet(hosts, chain, gateways, annotations)
    for limit in reader.exposure.limits(hosts):
        chain.add(limit)
    return WayIn(
        resource=resource,
        namespace=namespace,
        name=resource.name,
        controller="gateway",
        hosts=hosts,
        services=reader.named_services(resource, names),
        service_names=tuple(dict.fromkeys(name for _, name in names)),
        middlewares=tuple(chain.middlewares),
        missing=tuple(chain.missing),
        place=Place(resource.key),
        internet=internet,
        undecided=chain.undecided,
    )


def _filters(rule: Mapping[str, Value], namespace: str, chain: Chain, reader: _Reader) -> None:
    for entry in map(mapping, items(rule.get("filters"))):
        if entry.get("type") != "ExtensionRef":
            continue
        reference = mapping(entry.get("extensionRef"))
        kind, name = text(reference.get("kind")), text(reference.get("name"))
        if kind == "Middleware":
            reader.chains.referenced(chain, [{"name": reference.get("name")}], namespace)
        elif kind in {"RateLimitFilter", "RateLimitPolicy"}:
            chain.add(Middleware(namespace, name, ("rateLimit",), Place()))
        else:
            chain.open(f"what the filter {kind} {name} does is not known")


def _policies(by_kind: Mapping[str, Sequence[Resource]]) -> Mapping[tuple[str, str, str], tuple[Middleware, ...]]:
    """What policies attach to routes and gateways, by the kind, namespace and name of their target."""
    found: dict[tuple[str, str, str], tuple[Middleware, ...]] = {}
    for kind, fields in _POLICY_PIECES.items():
        for resource in by_kind.get(kind, ()):
            spec = mapping(resource.body.get("spec"))
            kinds = tuple(dict.fromkeys(what for key, what in fields.items() if spec.get(key) is not None))
            if not kinds:
                continue
            namespace = resource.namespace or "default"
            piece = Middleware(namespace, resource.name, kinds, Place(resource.key))
            for target in map(mapping, (spec.get("targetRef"), *items(spec.get("targetRefs")))):
                key = (text(target.get("kind")), text(target.get("namespace")) or namespace, text(target.get("name")))
                found[key] = (*found.get(key, ()), piece)
    return found


# -------------------------------------------------------------------------------------------------- tunnels


def _tunnels(reader: _Reader, others: Sequence[WayIn]) -> Iterator[WayIn]:
    """Rules of tunnels that lead straight to a service; those that lead to a proxy are ways in through the proxy."""
    for rule in reader.exposure.tunnel_rules:
        address = text(rule.address)
        found = _CLUSTER_HOST.match(address)
        if found is None or any(covers(rule.host, host) for way in others for host in way.hosts):
            continue
        namespace = found["namespace"] or rule.resource.namespace or "default"
        services = reader.named_services(rule.resource, [(namespace, found["name"])])
        proxies = any(
            reader.products.kind(container.image.product) == "ingress"
            for service in services
            for workload in service.workloads
            for container in workload.containers
        )
        if proxies or (
            not services
            and any(word in address.lower() for word in ("traefik", "ingress", "gateway", "nginx", "envoy", "caddy"))
        ):
            continue
        limits = reader.exposure.limits((rule.host,))
        why = why_open(rule.address)
        yield WayIn(
            resource=rule.resource,
            namespace=namespace,
            name=rule.resource.name,
            controller="cloudflared",
            hosts=(rule.host,),
            services=services,
            service_names=(found["name"],),
            middlewares=limits,
            missing=(),
            place=rule.place,
            internet=True,
            undecided=why,
        )
