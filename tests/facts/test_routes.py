"""Ways in: the chain that each passes through, and whether it is open to the internet."""

from __future__ import annotations

import pytest

from shoreup.facts.build import Extras
from shoreup.facts.estate import WayIn
from shoreup.facts.ways_in.exposure import covers, only_private, private_name, spoken
from small_estates import estate

MIDDLEWARES = """
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: limit, namespace: gate}
spec: {rateLimit: {average: 10}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: auth, namespace: gate}
spec: {forwardAuth: {address: http://auth.gate}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: inner, namespace: gate}
spec: {chain: {middlewares: [{name: limit}, {name: outer}]}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: outer, namespace: gate}
spec: {chain: {middlewares: [{name: auth}, {name: inner}]}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: home, namespace: gate}
spec: {ipAllowList: {sourceRange: [10.0.0.0/8, 192.168.0.0/16]}}
---
"""


def ingress(annotations: str = "{}", class_name: str = "traefik", host: str = "app.example.com") -> str:
    """An Ingress with these annotations."""
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: app, namespace: shop, annotations: {annotations}}}
spec:
  ingressClassName: {class_name}
  rules: [{{host: {host}, http: {{paths: [{{path: /, backend: {{service: {{name: app}}}}}}]}}}}]
"""


def router(middlewares: str, entry_points: str = "[websecure]") -> str:
    """An IngressRoute with one route."""
    return f"""
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: app, namespace: shop}}
spec:
  entryPoints: {entry_points}
  routes:
    - match: Host(`app.example.com`) || (Host(`b.example.com`) && PathPrefix(`/x`))
      middlewares: {middlewares}
      services: [{{name: app, port: 80}}]
"""


def way(manifests: str, extras: Extras | None = None) -> WayIn:
    """The one way in of an estate."""
    (found,) = estate(manifests, extras=extras).ways_in
    return found


def kinds(found: WayIn) -> set[str]:
    """What its chain does."""
    return {kind for middleware in found.middlewares for kind in middleware.kinds}


class TestTraefik:
    def test_a_chain_is_laid_flat_and_a_circle_ends(self) -> None:
        found = way(MIDDLEWARES + router("[{name: outer, namespace: gate}]"))
        assert [middleware.name for middleware in found.middlewares] == ["auth", "limit"]
        assert (found.missing, found.undecided) == ((), "")
        assert found.hosts == ("app.example.com", "b.example.com")

    def test_annotations_name_the_same_pieces(self) -> None:
        note = '{traefik.ingress.kubernetes.io/router.middlewares: "gate-auth@kubernetescrd, gate-limit@kubernetescrd"}'
        assert kinds(way(MIDDLEWARES + ingress(note))) == {"forwardAuth", "rateLimit"}

    def test_a_name_that_is_not_declared_is_missing(self) -> None:
        assert way(MIDDLEWARES + router("[{name: nothing}]")).missing == ("shop-nothing",)

    def test_another_provider_is_undecided(self) -> None:
        note = '{traefik.ingress.kubernetes.io/router.middlewares: "limit@file"}'
        assert "limit@file" in way(MIDDLEWARES + ingress(note)).undecided

    @pytest.mark.parametrize(
        "static",
        [
            """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: traefik, namespace: gate}
spec:
  chart: {spec: {chart: traefik}}
  values: {ports: {websecure: {middlewares: [gate-limit@kubernetescrd]}}}
""",
            """
apiVersion: apps/v1
kind: Deployment
metadata: {name: traefik, namespace: gate}
spec:
  template:
    spec:
      containers:
        - name: traefik
          image: traefik:v3.7
          args: [--entrypoints.websecure.http.middlewares=gate-limit@kubernetescrd]
""",
            """
apiVersion: v1
kind: ConfigMap
metadata: {name: traefik, namespace: gate}
data:
  traefik.yaml: |
    entryPoints:
      websecure: {http: {middlewares: [gate-limit@kubernetescrd]}}
""",
        ],
        ids=["values", "arguments", "file"],
    )
    def test_what_a_whole_entry_point_adds(self, static: str) -> None:
        assert kinds(way(f"{MIDDLEWARES}{router('[]')}---{static}")) == {"rateLimit"}
        assert kinds(way(f"{MIDDLEWARES}{router('[]', '[web]')}---{static}")) == set()


class TestOthers:
    def test_nginx_limits_by_annotation(self) -> None:
        found = way(ingress('{nginx.ingress.kubernetes.io/limit-rps: "5"}', "nginx"))
        assert (found.controller, kinds(found)) == ("nginx", {"rateLimit"})

    def test_annotations_of_a_controller_that_does_not_serve_it_do_nothing(self) -> None:
        assert kinds(way(ingress('{nginx.ingress.kubernetes.io/limit-rps: "5"}', "traefik"))) == set()

    def test_a_class_is_what_its_controller_says(self) -> None:
        found = way(
            ingress(class_name="outside")
            + """
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: outside}
spec: {controller: k8s.io/ingress-nginx}
"""
        )
        assert found.controller == "nginx"

    def test_policies_of_the_gateway_count_for_its_routes(self) -> None:
        found = way("""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: shop}
spec:
  parentRefs: [{name: external, namespace: gate}]
  hostnames: [app.example.com]
  rules: [{backendRefs: [{name: app}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: limit, namespace: gate}
spec: {targetRefs: [{kind: Gateway, name: external}], rateLimit: {type: Local}}
""")
        assert (kinds(found), found.internet, found.service_names) == ({"rateLimit"}, True, ("app",))

    def test_a_limit_at_the_edge_counts_for_the_zone(self) -> None:
        found = way(
            ingress()
            + """
---
apiVersion: terraform
kind: cloudflare_ruleset
metadata: {name: limits}
phase: http_ratelimit
rules: [{enabled: true}]
"""
        )
        assert "rateLimit" in kinds(found)


class TestInternet:
    def test_nothing_says_so(self) -> None:
        assert way(ingress()).internet is None

    def test_names_of_classes(self) -> None:
        assert way(ingress(class_name="external")).internet is True
        assert way(ingress(class_name="nginx-internal")).internet is False

    def test_private_names(self) -> None:
        assert way(ingress(host="app.home.arpa")).internet is False

    def test_a_filter_with_private_ranges_alone(self) -> None:
        found = way(MIDDLEWARES + router("[{name: home, namespace: gate}]", "[external]"))
        assert found.internet is False

    def test_a_tunnel_publishes_the_host(self) -> None:
        tunnel = """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cloudflared, namespace: gate}
data:
  config.yaml: |
    tunnel: home
    ingress:
      - hostname: "*.example.com"
        service: https://traefik.gate:443
      - service: http_status:404
"""
        assert way(ingress() + tunnel).internet is True

    def test_a_tunnel_straight_to_a_service_is_a_way_in(self) -> None:
        found = way("""
apiVersion: v1
kind: ConfigMap
metadata: {name: cloudflared, namespace: gate}
data:
  config.yaml: |
    ingress:
      - hostname: wiki.example.com
        service: http://wiki.office.svc.cluster.local:3000
""")
        assert (found.controller, found.internet, found.hosts) == ("cloudflared", True, ("wiki.example.com",))
        assert found.service_names == ("wiki",)
        assert found.place.chars is not None

    def test_a_dns_record_tells_whether_the_internet_leads_there(self) -> None:
        record = """
---
apiVersion: terraform
kind: cloudflare_record
metadata: {name: app}
name: app.example.com
type: A
"""
        assert way(ingress() + record + "content: 192.168.1.5\n").internet is False
        assert way(ingress() + record + "content: 192.168.1.5\nproxied: true\n").internet is True

    def test_a_certificate_that_is_proven_over_http(self) -> None:
        issuer = """
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: public}
spec:
  acme:
    server: https://acme-v02.api.letsencrypt.org/directory
    solvers: [{http01: {ingress: {class: traefik}}}]
"""
        assert way(ingress("{cert-manager.io/cluster-issuer: public}") + issuer).internet is True
        assert way(ingress("{cert-manager.io/cluster-issuer: public}")).internet is None

    def test_small_rules(self) -> None:
        assert covers("*.example.com", "a.example.com")
        assert not covers("*.example.com", "example.com")
        assert private_name("nas")
        assert not private_name("example.com")
        assert only_private(["10.0.0.0/8"])
        assert not only_private(["10.0.0.0/8", "0.0.0.0/0"])
        assert not only_private([])
        assert spoken(["envoy-external"]) is True
        assert spoken(["external", "internal"]) is None
