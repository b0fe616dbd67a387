"""The account on a terminal: ranked, folded, as wide as the reader, and deaf to what names try to do to it."""

from __future__ import annotations

import re
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import accepted, account, finding, homelab
from shoreup.model.account import Coverage
from shoreup.model.finding import Category, Confidence, Notice, ReadError, ResourceName, Severity
from shoreup.report import text
from shoreup.report.folding import kinds
from shoreup.report.terminal import cells, plain, sentence, wrap

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next empty line that ends a group."""
    below = page.split(f"{heading}", 1)[1]
    return re.split(r"\n\n(?=[A-Z])", below, maxsplit=1)[0]


def test_it_opens_with_what_to_do_first_in_order_of_rank() -> None:
    page = text.render(homelab(), width=100)
    first = section(page, "Do these first")
    assert re.findall(r"^ *(\d+)  \w+  ([\w-]+)", first, re.M) == [
        ("1", "backup-retention-missing"),
        ("2", "rbac-cluster-admin"),
        ("3", "image-tag-latest"),
        ("4", "probe-readiness-missing"),
        ("5", "pdb-missing"),
    ]
    assert "infra/modules/backup/main.tf:41:17" in first
    assert "If not: The volume fills up, and from then on every backup fails." in first


def test_a_subject_that_the_message_opens_with_is_not_said_twice() -> None:
    told = finding(subject="CronJob dump", message="CronJob dump keeps everything.")
    assert text.render(account(told)).split("Backups and restores")[0].count("CronJob dump") == 1
    silent = finding(subject="CronJob dump", message="It keeps everything.")
    assert text.render(account(silent)).split("Backups and restores")[0].count("CronJob dump") == 1


def test_what_to_do_first_names_ten_concerns_at_most_and_each_once() -> None:
    many = [finding(rank, f"concern-{rank % 14}", line=rank) for rank in range(1, 60)]
    first = section(text.render(account(*many)), "Do these first")
    named = re.findall(r"^ *\d+  \w+  (\S+)", first, re.M)
    assert named == [f"concern-{number}" for number in range(1, 11)]


def test_what_is_critical_has_a_place_among_the_first_whatever_its_rank() -> None:
    many = [finding(rank, f"concern-{rank:02}", line=rank) for rank in range(1, 15)]
    door = finding(20, "open-door", severity=Severity.CRITICAL)
    first = section(text.render(account(*many, door)), "Do these first")
    named = re.findall(r"^ *\d+  \w+  (\S+)", first, re.M)
    assert named == [*(f"concern-{number:02}" for number in range(1, 10)), "open-door"]


def test_several_troubles_of_one_thing_at_one_place_are_each_said() -> None:
    ones = [finding(n, "alert-missing", subject="the rules", message=f"No rule looks at {n}.") for n in (1, 2)]
    page = text.render(account(*ones))
    assert "No rule looks at 1." in page.split("Do these first")[1]
    assert "No rule looks at 2." in page


def test_folded_findings_name_their_subjects_as_long_as_they_are_few() -> None:
    some = [finding(n, "pdb-missing", file=f"{n}.tf", subject=f"Deployment web/{n}") for n in range(1, 13)]
    page = " ".join(text.render(account(*some)).split())
    assert "; ".join(f"Deployment web/{n}" for n in range(1, 13)) in page
    more = [*some, finding(13, "pdb-missing", file="13.tf", subject="Deployment web/13")]
    assert "Deployment web/2" not in text.render(account(*more))


def test_a_digest_is_cut_short_in_prose() -> None:
    one = finding(message=f"It runs shop@sha256:{'0123456789abcdef' * 4}, which is fine.")
    page = text.render(account(one), width=120)
    assert "shop@sha256:0123456789ab..., which" in page
    assert "456789abcdef0123" not in page


def test_small_things_come_first_only_where_there_is_nothing_else() -> None:
    small = finding(1, "module-oversized", severity=Severity.LOW)
    assert "module-oversized" in section(text.render(account(small)), "Do these first")
    both = account(small, finding(2, "pdb-missing", severity=Severity.MEDIUM))
    assert "module-oversized" not in section(text.render(both), "Do these first")


def test_a_module_called_three_times_is_one_line_that_names_the_others() -> None:
    group = section(text.render(homelab(), width=120), "Availability")
    assert group.count("infra/modules/database/main.tf:27:7") == 1
    assert "infra/modules/database/main.tf:27:7 ×3" in group
    assert "Also: mysql-wiki, mysql-shop." in " ".join(group.split())


def test_more_than_three_places_with_the_same_concern_are_one_line_with_a_count() -> None:
    group = section(text.render(homelab(), width=100), "Availability")
    assert "pdb-missing  ×6 in 6 files  first infra/apps/immich.tf:3:1" in group
    assert "infra/apps/paperless.tf" not in group


def test_three_places_are_three_lines() -> None:
    group = section(text.render(account(*(finding(n, line=n) for n in (1, 2, 3)))), "Backups and restores")
    assert group.count("infra/modules/backup/main.tf:") == 3


def test_a_folded_line_says_which_severities_it_holds() -> None:
    mixed = [finding(n, line=n, severity=Severity.HIGH if n < 3 else Severity.MEDIUM) for n in range(1, 6)]
    assert "×5 (2 high, 3 medium)" in text.render(account(*mixed))


def test_full_folds_nothing() -> None:
    page = text.render(homelab(), detail="full")
    group = section(page, "Availability")
    assert group.count("infra/modules/database/main.tf:27:7") == 3
    assert "infra/apps/paperless.tf:4:1" in group
    assert "this is the data it protects: infra/modules/mysql/main.tf:12" in page


def test_brief_takes_one_line_for_each_kind_after_what_comes_first() -> None:
    page = text.render(homelab(), detail="brief")
    assert section(page, "Do these first") == section(text.render(homelab()), "Do these first")
    for kind in kinds(homelab().findings):
        (line,) = re.findall(rf"^  \w+ +{kind.concern} .*$", page, re.MULTILINE)
        assert kind.count == 1 or f"×{kind.count} " in line


def test_groups_come_in_the_order_of_their_worst_finding() -> None:
    page = text.render(
        account(
            finding(1, "a", category=Category.NETWORK),
            finding(2, "b", category=Category.BACKUPS),
            finding(3, "c", category=Category.NETWORK),
        )
    )
    assert re.findall(r"^(Network|Backups and restores)  ", page, re.M) == ["Network", "Backups and restores"]


def test_what_is_not_certain_says_so() -> None:
    assert "(likely)" in text.render(account(finding(confidence=Confidence.LIKELY)))
    assert "(likely)" not in text.render(account(finding()))


def test_it_ends_with_what_is_not_known() -> None:
    page = " ".join(text.render(homelab()).split())
    assert "Undecided 3 questions" in page
    assert "2 version-unsupported: image: var.wiki_image has no default, and others" in page
    assert "Not read 2 problems infra/old.tf:12: expected a closing brace. Left out: the rest of the file." in page
    assert "k8s/link.yaml: a link that leaves the estate." in page
    assert "Read 351 files (330 terraform, 21 yaml); 421 resources (412 terraform, 9 manifest); 3 roots" in page
    assert "left alone: 2 encrypted" in page
    assert "Time 0.83 s" in page
    assert "Accepted 1 finding" in page


def test_many_problems_are_counted_and_not_listed() -> None:
    errors = tuple(ReadError(f"{n}.tf", n, "broken", "the block") for n in range(1, 31))
    page = text.render(account(errors=errors))
    assert "30 problems" in page
    assert "and 20 more" in page
    assert "30.tf" not in page
    assert "30.tf" in text.render(account(errors=errors), detail="full")


def test_an_estate_without_findings_says_so_and_advises_nothing() -> None:
    page = text.render(account())
    assert "No findings." in page
    assert "Do these first" not in page
    assert "explain" not in page


def test_what_is_not_proven_stands_apart() -> None:
    page = text.render(homelab())
    assert "No restore of data/mysql has been seen to work." in section(page, "Not proven")
    assert "restore-unproven" not in section(page, "Do these first")


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("detail", get_args(text.Detail))
def test_lines_fit_the_reader_unless_a_path_is_longer(width: int, detail: text.Detail) -> None:
    page = text.render(homelab(), width=width, detail=detail)
    for line in page.splitlines():
        only_a_path = len(line.split()) <= 2
        assert cells(line) <= width or only_a_path, line


def test_colour_changes_nothing_but_colour() -> None:
    coloured = text.render(homelab(), colour=True)
    assert ESCAPE.search(coloured)
    assert ESCAPE.sub("", coloured) == text.render(homelab(), colour=False)


HOSTILE = "\x1b]0;owned\x07\x1b[2K\r\u202egpj.exe\n\x9b31m\u2028end\udcff"


@pytest.mark.parametrize("detail", get_args(text.Detail))
def test_names_from_the_estate_cannot_speak_to_the_terminal(detail: text.Detail) -> None:
    evil = finding(
        concern="pdb-missing",
        subject=HOSTILE,
        message=HOSTILE,
        consequence=HOSTILE,
        file=HOSTILE,
        resource=ResourceName(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),
    )
    page = text.render(
        account(
            evil,
            estate=(HOSTILE,),
            errors=(ReadError(HOSTILE, 1, HOSTILE, HOSTILE),),
            coverage=Coverage({HOSTILE: 1}, {HOSTILE: 1}, 1, {HOSTILE: 1}),
        ),
        detail=detail,
    )
    assert not set(page) & set("\x1b\x07\r\u202e\x9b\u2028\udcff")
    page.encode("utf-8")


@given(st.text())
def test_plain_text_holds_nothing_that_a_terminal_obeys(words: str) -> None:
    cleaned = plain(words)
    assert all(character.isprintable() or character.isspace() for character in cleaned if ord(character) < 0xA0)
    cleaned.encode("utf-8")
    assert plain(cleaned) == cleaned


@given(st.text(alphabet="ab 漢é", max_size=200), st.integers(5, 40))
def test_wrapping_loses_no_word_and_keeps_the_width(words: str, width: int) -> None:
    lines = list(wrap(sentence(words), width))
    assert " ".join(lines).split() == words.split()
    assert all(cells(line) <= width or " " not in line for line in lines)


def test_accepted_findings_stand_at_the_foot_with_their_reason() -> None:
    same = [accepted(finding(number, "gpu-pinned"), "one card in the house", date(2027, 1, 31)) for number in (1, 2)]
    page = text.render(account(suppressed=(*same, accepted(finding(3), "soon gone"))))
    assert "Accepted    3 findings by the owner, with a reason" in page
    assert "gpu-pinned infra/modules/backup/main.tf:41:17 ×2: one card in the house (until" in " ".join(
        page.split("\n")
    )
    assert "soon gone" in page


def test_what_is_known_is_a_number_and_says_who_knows_it() -> None:
    page = text.render(account(known=(finding(1), finding(2)), compared="the baseline known.json"))
    assert "Known       2 findings of the baseline known.json" in page
    assert "Do these first" not in page


def test_remarks_on_ignores_are_shown_and_many_are_counted() -> None:
    notices = tuple(
        Notice("a.tf", number, "This ignore of pdb-missing matches nothing: take it out.") for number in range(1, 15)
    )
    page = text.render(account(notices=notices))
    assert "a.tf:1: This ignore of pdb-missing matches nothing" in page
    assert "and 4 more" in page


def test_what_comes_first_names_its_fingerprint() -> None:
    page = text.render(account(finding(fingerprint="2f1c9d0a7be4")))
    assert "backup-retention-missing  2f1c9d0a" in page
    assert "shoreup explain 2f1c9d0a" in text.render(account(finding(fingerprint="2f1c9d0a7be4")), detail="full")
