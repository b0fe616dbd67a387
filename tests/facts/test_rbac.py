"""What rules allow, against Kubernetes' definition spelled out; and what is learned from requests, both ways."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.facts.rights.authorizer import allowed, allows, rule_of, written
from shoreup.facts.rights.least_rights import escalation, rights
from shoreup.model.access import LearnedRights, Request, Rule

VERBS = ("get", "list", "create", "delete", "impersonate")
GROUPS = ("", "apps", "rbac.authorization.k8s.io")
RESOURCES = ("pods", "pods/log", "pods/exec", "secrets", "deployments", "deployments/scale", "roles", "nodes/proxy")
NAMES = ("", "a", "b")
SPACES = ("", "one", "two")
PATHS = ("/metrics", "/metrics/slis", "/debug", "/api/v1")

objects = st.builds(
    Request,
    st.sampled_from(VERBS),
    st.sampled_from(GROUPS),
    st.sampled_from(RESOURCES),
    st.sampled_from(SPACES),
    st.sampled_from(NAMES),
)
urls = st.builds(lambda verb, path: Request(verb, path=path), st.sampled_from(VERBS), st.sampled_from(PATHS))
requests = st.one_of(objects, urls)


def some(*words: str) -> st.SearchStrategy[tuple[str, ...]]:
    """A list of words of a rule."""
    return st.lists(st.sampled_from(words), max_size=3, unique=True).map(tuple)


rules = st.builds(
    Rule,
    some("*", *VERBS),
    some("*", *GROUPS),
    some("*", "*/log", "*/scale", "pods/*", *RESOURCES),
    some("a", "b"),
    some("*", "/metrics/*", "/metr*", *PATHS),
)


def by_definition(rule: Rule, asked: Request) -> bool:
    """The rule written out: everything that it covers, one by one, and whether the request is among it."""
    verbs = VERBS if "*" in rule.verbs else rule.verbs
    if asked.path:
        covered = [
            path for path in PATHS for one in rule.urls if path == one or (one[-1] == "*" and path.find(one[:-1]) == 0)
        ]
        return (asked.verb, asked.path) in set(product(verbs, covered))
    groups = GROUPS if "*" in rule.groups else rule.groups
    resources: set[str] = set()
    for one in rule.resources:
        resources |= set(RESOURCES) if one == "*" else {one}
        if one.startswith("*/"):
            resources |= {each for each in RESOURCES if each.endswith(one[1:])}
    names = rule.names or NAMES
    return (asked.verb, asked.group, asked.resource, asked.name) in set(product(verbs, groups, resources, names))


@given(rules, requests)
def test_a_rule_allows_what_it_covers_and_nothing_else(rule: Rule, asked: Request) -> None:
    assert allows(rule, asked) is by_definition(rule, asked)


@given(rules)
def test_a_rule_survives_being_written(rule: Rule) -> None:
    assert rule_of(written(rule)) == rule


@pytest.mark.parametrize(
    ("rule", "asked", "is_allowed"),
    [
        (Rule(("get",), ("",), ("pods",)), Request("get", "", "pods/log", "one"), False),
        (Rule(("get",), ("",), ("*",)), Request("get", "", "pods/log", "one"), True),
        (Rule(("update",), ("apps",), ("*/scale",)), Request("update", "apps", "deployments/scale", "one"), True),
        (Rule(("update",), ("apps",), ("*/scale",)), Request("update", "apps", "deployments", "one"), False),
        (Rule(("get",), ("",), ("secrets",), ("tls",)), Request("get", "", "secrets", "one", "other"), False),
        (Rule(("create",), ("",), ("secrets",), ("tls",)), Request("create", "", "secrets", "one"), False),
        (Rule(("get",), ("apps",), ("pods",)), Request("get", "", "pods", "one"), False),
        (Rule(("get",), urls=("/metrics/*",)), Request("get", path="/metrics/slis"), True),
        (Rule(("get",), urls=("/metrics/*",)), Request("get", path="/metrics"), False),
        (Rule(("get",), ("*",), ("*",)), Request("get", path="/metrics"), False),
    ],
)
def test_the_documented_cases(rule: Rule, asked: Request, is_allowed: bool) -> None:
    assert allows(rule, asked) is is_allowed


def may(found: LearnedRights, asked: Request) -> bool:
    """Whether the learned roles, each bound where it belongs, allow a request."""
    spaces = [one.rules for one in found.namespaces if asked.namespace and one.namespace == asked.namespace]
    return allowed(found.cluster, asked) or any(allowed(one, asked) for one in spaces)


@given(st.sets(requests, max_size=12))
def test_every_request_is_allowed_unless_it_leads_to_more(used: set[Request]) -> None:
    found = rights("ci", "runner", used)
    for asked in used:
        if not escalation(asked):
            assert may(found, asked) or asked.path == "/api/v1"


@given(st.sets(requests, max_size=12), requests)
def test_nothing_else_is_allowed_but_for_the_names_of_what_has_no_lasting_one(
    used: set[Request], asked: Request
) -> None:
    found = rights("ci", "runner", used)
    if may(found, asked):
        near = {(one.verb, one.group, one.resource, one.path) for one in used}
        assert (asked.verb, asked.group, asked.resource, asked.path) in near
        spaces = {one.namespace for one in used if (one.verb, one.resource) == (asked.verb, asked.resource)}
        assert asked.path or asked.namespace in spaces or "" in spaces


ESCALATIONS = [
    Request("escalate", "rbac.authorization.k8s.io", "clusterroles"),
    Request("bind", "rbac.authorization.k8s.io", "roles", "one"),
    Request("impersonate", "", "users"),
    Request("list", "", "secrets"),
    Request("watch", "", "secrets"),
    Request("create", "", "pods/exec", "one"),
    Request("get", "", "nodes/proxy"),
    Request("create", "", "serviceaccounts/token", "one"),
    Request("create", "rbac.authorization.k8s.io", "clusterrolebindings"),
    Request("update", "certificates.k8s.io", "certificatesigningrequests/approval"),
]


@pytest.mark.parametrize("asked", ESCALATIONS, ids=lambda one: f"{one.verb} {one.resource}")
def test_what_leads_to_more_rights_is_left_out_unless_it_is_let_pass(asked: Request) -> None:
    said = f"{asked.verb}/{asked.resource}"
    refused = rights("ci", "runner", {asked})
    assert (refused.refused, may(refused, asked)) == ((said,), False)
    passed = rights("ci", "runner", {asked}, {said})
    assert (passed.refused, passed.allowed, may(passed, asked)) == ((), (said,), True)


@given(st.sets(objects, max_size=20))
def test_no_escalation_comes_with_what_is_learned(used: set[Request]) -> None:
    found = rights("ci", "runner", used)
    assert not [asked for asked in ESCALATIONS if may(found, asked)]


def test_secrets_are_allowed_by_name() -> None:
    found = rights("ci", "runner", {Request("get", "", "secrets", "ci", "token")})
    assert not may(found, Request("get", "", "secrets", "ci", "other"))
    assert not may(found, Request("get", "", "secrets", "web", "token"))


def test_what_everybody_may_do_is_in_no_role() -> None:
    used = {Request("create", "authorization.k8s.io", "selfsubjectaccessreviews"), Request("get", path="/version")}
    found = rights("ci", "runner", used)
    assert (found.cluster, found.namespaces) == ((), ())
