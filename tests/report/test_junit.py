"""JUnit: whoever shows test results shows findings, and no name of an estate breaks the document."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from accounts import accepted, account, finding, homelab
from shoreup.model.finding import ReadError
from shoreup.report import junit


def test_a_suite_for_each_concern_and_a_case_for_each_finding() -> None:
    tree = ElementTree.fromstring(junit.render(account(finding(1), finding(2), finding(3, "pdb-missing"))))
    assert [(suite.get("name"), suite.get("tests")) for suite in tree] == [
        ("backup-retention-missing", "2"),
        ("pdb-missing", "1"),
    ]
    failure = tree.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == finding().message
    assert failure.text
    assert "If not: The volume fills up" in failure.text
    assert "fingerprint: backup-retention-missing-1" in failure.text


def test_counts_are_those_of_the_cases() -> None:
    tree = ElementTree.fromstring(junit.render(homelab()))
    assert tree.get("tests") == str(len(list(tree.iter("testcase"))))
    for what, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert tree.get(what) == str(len(list(tree.iter(tag))))
        for suite in tree:
            assert suite.get(what) == str(len(list(suite.iter(tag))))


def test_accepted_and_known_findings_are_skipped_with_the_reason() -> None:
    page = junit.render(
        account(suppressed=(accepted(finding(1), "one node"),), known=(finding(2),), compared="the baseline b.json")
    )
    tree = ElementTree.fromstring(page)
    assert [one.get("message") for one in tree.iter("skipped")] == ["known: the baseline b.json", "accepted: one node"]
    assert tree.get("failures") == "0"


def test_what_could_not_be_read_is_an_error() -> None:
    tree = ElementTree.fromstring(junit.render(account(errors=(ReadError("a.tf", 3, "broken", "the file"),))))
    assert [one.get("message") for one in tree.iter("error")] == ["broken. Left out: the file."]


def test_an_estate_without_findings_is_a_whole_document() -> None:
    tree = ElementTree.fromstring(junit.render(account()))
    assert tree.get("tests") == "0"
    assert len(tree) == 1


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_no_name_breaks_the_document(name: str) -> None:
    page = junit.render(account(finding(subject=name, message=f"]]>{name}", file=name)))
    tree = ElementTree.fromstring(page.encode())
    assert len(list(tree.iter("failure"))) == 1
