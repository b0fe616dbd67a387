"""400 days of Shoreup's own retention: which policies leave too little, and which rules do not do as they say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from shoreup.drills.base import NO_WISHES
from shoreup.drills.retention import Retention
from shoreup.drills.rotating.own_retention import PolicySpec, try_policy
from shoreup.facts.backups.own import scheduled
from shoreup.facts.backups.tried_retention import NOTHING_LEFT
from shoreup.facts.build import Extras
from shoreup.model.backup_settings import BackupSettings, Keep
from shoreup.model.proof import Proof, Verdict
from shoreup.model.settings import Schedule, Settings
from shoreup.operations.backup.retention import Aged, Decision, Policy, decide
from small_estates import estate

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NONE = Policy(at_least=0, hourly=0, daily=0, weekly=0, monthly=0, yearly=0)


def tried(policy: Policy, schedule: str = "0 3 * * *") -> Proof:
    return try_policy(PolicySpec("photos", policy, schedule, pruned=True), run="run", now=NOW)


def test_the_policy_that_holds_without_a_word_passes() -> None:
    proof = tried(Policy())
    assert proof.verdict is Verdict.PASS, proof.after
    assert proof.control.refused
    assert "left no copy of its own" in proof.before
    assert {one.name: one.value for one in proof.measurements}["most kept"] <= 3 + 7 + 4 + 6


def test_a_policy_that_keeps_next_to_nothing_leaves_nothing_when_backups_are_empty() -> None:
    for policy in (NONE, replace(NONE, at_least=3), replace(NONE, daily=2)):
        proof = tried(policy)
        assert proof.verdict is Verdict.FAIL
        assert "no whole copy was left once the dump had succeeded and was empty" in proof.after
        assert {one.name: one.value for one in proof.measurements}[NOTHING_LEFT] > 0


def test_a_week_is_longer_than_five_days_of_an_empty_database() -> None:
    assert tried(replace(NONE, weekly=3)).verdict is Verdict.PASS
    assert tried(replace(NONE, at_least=3, hourly=24, daily=7), "0 */12 * * *").verdict is Verdict.PASS


def test_a_rule_that_removes_what_the_numbers_keep_fails() -> None:
    def forgets_weeks(backups: Sequence[Aged], policy: Policy) -> Sequence[Decision]:
        return decide(backups, replace(policy, weekly=0))

    proof = try_policy(PolicySpec("photos", Policy()), run="run", now=NOW, rule=forgets_weeks)
    assert proof.verdict is Verdict.FAIL
    assert "a backup was gone that weekly = 4 keeps" in proof.after


def test_a_rule_that_keeps_more_than_the_numbers_say_fails() -> None:
    def keeps_a_month(backups: Sequence[Aged], policy: Policy) -> Sequence[Decision]:
        return decide(backups, replace(policy, daily=30))

    proof = try_policy(PolicySpec("photos", Policy()), run="run", now=NOW, rule=keeps_a_month)
    assert proof.verdict is Verdict.FAIL
    assert "what nothing keeps was left" in proof.after


def test_of_what_keeps_all_of_400_days_nothing_is_learnt() -> None:
    proof = tried(Policy(daily=1000))
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert proof.control.refused is None


def test_the_settings_say_when_it_is_taken_and_whether_old_ones_go() -> None:
    night, weekly = Schedule("backup run photos", "0 3 * * *"), Schedule("backup prune photos", "0 5 * * 0")
    assert scheduled("photos", [Schedule("backup run mail", "0 1 * * *"), night, weekly]) == ("0 3 * * *", True)
    assert scheduled("photos", [night]) == ("0 3 * * *", False)
    assert scheduled("photos", [Schedule("backup run photos --prune", "@daily")]) == ("@daily", True)
    assert not any("[schedule]" in one for one in tried(Policy()).limits)


def test_each_policy_of_the_settings_is_a_trial_of_its_own() -> None:
    said = Settings(backup={"photos": BackupSettings("files:/photos", "/backups", keep=Keep(daily=14))})
    [trial] = Retention().trials(estate("", extras=Extras(settings=said)), NO_WISHES)
    assert trial.name == "photos"
    ready = trial.prepare()
    assert not isinstance(ready, str)
    proof = ready("run", NOW)
    assert (proof.verdict, str(proof.subject)) == (Verdict.PASS, "Backup photos")
    assert proof.inputs == trial.inputs.digests
    assert "when it is taken: no [schedule] says it, so once a day was tried" in proof.limits
