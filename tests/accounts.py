"""Hand-made accounts, for tests of what is said rather than of what is found."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from shoreup.model.account import Account, Coverage
from shoreup.model.finding import (
    Category,
    Confidence,
    Consequence,
    Finding,
    Fix,
    Notice,
    ReadError,
    Related,
    ResourceName,
    Safety,
    Section,
    Severity,
    Suppressed,
    Undecided,
)

MYSQL = ResourceName(
    root="infra",
    address="module.backup.kubernetes_cron_job_v1.mysql",
    kind="CronJob",
    namespace="data",
    name="mysql-backup",
    container="dump",
)

RETENTION = Finding(
    rank=1,
    concern="backup-retention-missing",
    severity=Severity.HIGH,
    confidence=Confidence.CERTAIN,
    consequence_class=Consequence.DATA_LOSS,
    category=Category.BACKUPS,
    section=Section.MISSING_FEATURES,
    subject="CronJob data/mysql-backup",
    message="Writes a new dump to nas:/backups/mysql each night, and nothing here removes old ones.",
    consequence="The volume fills up, and from then on every backup fails.",
    file="infra/modules/backup/main.tf",
    line=41,
    column=17,
    end_line=41,
    resource=MYSQL,
    related=(Related("infra/modules/mysql/main.tf", 12, "this is the data it protects"),),
    fingerprint="2f1c9d0a7be4",
    fixes=(Fix("Remove dumps older than 30 days, keeping at least 7", Safety.UNSAFE, "The job deletes files."),),
)


def finding(rank: int = 1, concern: str = "backup-retention-missing", **changes: object) -> Finding:
    """A finding that is like :data:`RETENTION` but for what the test is about."""
    changes.setdefault("fingerprint", f"{concern}-{rank}")
    return replace(RETENTION, rank=rank, concern=concern, **changes)


def accepted(one: Finding, reason: str = "there is one card in the house", until: date | None = None) -> Suppressed:
    """A finding that its owner accepts."""
    return Suppressed(one, reason, until, one.file, one.line)


def account(*findings: Finding, **changes: object) -> Account:
    """An account with these findings."""
    plain = Account(
        version="0.1.0",
        estate=("homelab",),
        findings=findings,
        unproven=(),
        suppressed=(),
        undecided=(),
        errors=(),
        coverage=Coverage(files={"terraform": 330, "yaml": 21}, resources={"terraform": 412, "manifest": 9}, roots=3),
        timing={"read": 0.31, "evaluate": 0.42, "concerns": 0.08, "total": 0.83},
    )
    return replace(plain, **changes)


def homelab() -> Account:
    """An account such as a real platform gives: every kind of entry, many of some."""

    def named(name: str, kind: str = "Deployment", namespace: str = "apps") -> ResourceName:
        return ResourceName("infra", f"module.{name}.kubernetes_{kind.lower()}.this", kind, namespace, name, name)

    budgets = tuple(
        finding(
            20 + number,
            "pdb-missing",
            severity=Severity.MEDIUM,
            consequence_class=Consequence.OUTAGE,
            category=Category.AVAILABILITY,
            section=Section.FRAGILE_AREAS,
            subject=f"Deployment apps/{name}",
            message=f"{name} has 2 replicas and no PodDisruptionBudget selects it.",
            consequence="A drain may stop every replica at once.",
            file=f"infra/apps/{name}.tf",
            line=3 + number,
            column=1,
            resource=named(name),
            fixes=(),
            related=(),
        )
        for number, name in enumerate(("immich", "paperless", "gitea", "grafana", "vaultwarden", "traefik"))
    )
    probes = tuple(
        finding(
            6 + number,
            "probe-readiness-missing",
            severity=Severity.HIGH if name == "mysql" else Severity.MEDIUM,
            consequence_class=Consequence.OUTAGE,
            category=Category.AVAILABILITY,
            section=Section.FRAGILE_AREAS,
            subject=f"Deployment data/{name}, container {name}",
            message="The container serves port 3306 and has no readiness probe.",
            consequence="Clients are sent to it while it starts and while it hangs.",
            file="infra/modules/database/main.tf",
            line=27,
            column=7,
            resource=named(name, namespace="data"),
            fixes=(Fix("Add a readiness probe: mysqladmin ping", Safety.UNSAFE, "The pods restart."),),
            related=(),
        )
        for number, name in enumerate(("mysql", "mysql-wiki", "mysql-shop"))
    )
    agent = finding(
        2,
        "rbac-cluster-admin",
        severity=Severity.CRITICAL,
        consequence_class=Consequence.TAKEOVER,
        category=Category.ACCESS,
        section=Section.SECURITY,
        subject="ServiceAccount tools/agent",
        message="ServiceAccount tools/agent is bound to cluster-admin.",
        consequence="Whoever takes over one pod of it owns the cluster.",
        file="k8s/agent/rbac.yaml",
        line=14,
        column=9,
        resource=ResourceName(
            ".", "rbac.authorization.k8s.io/v1/ClusterRoleBinding//agent", "ClusterRoleBinding", "", "agent"
        ),
        related=(Related("k8s/agent/deployment.yaml", 18, "runs as this account"),),
        fixes=(Fix("Bind a Role with what it uses", Safety.SHOWN, "Only an audit log knows what it uses."),),
    )
    module = finding(
        60,
        "module-oversized",
        severity=Severity.LOW,
        consequence_class=Consequence.HYGIENE,
        category=Category.PRACTICE,
        section=Section.TECH_DEBT,
        subject="infra/main.tf",
        message="The file has 1,204 lines in 61 blocks.",
        consequence="Nobody reviews a change to it whole.",
        file="infra/main.tf",
        line=1,
        column=1,
        end_line=1204,
        resource=None,
        related=(),
        fixes=(),
    )
    image = finding(
        5,
        "image-tag-latest",
        category=Category.VERSIONS,
        section=Section.DEPENDENCIES_AT_RISK,
        consequence_class=Consequence.OUTAGE,
        subject="Deployment apps/paperless, container web",
        message="The image ghcr.io/paperless-ngx/paperless-ngx:latest moves whenever its publisher pushes.",
        consequence="A restart may bring another version, and nobody can say which one ran yesterday.",
        file="k8s/apps/paperless/deployment.yaml",
        line=22,
        column=18,
    )
    return account(
        RETENTION,
        agent,
        image,
        *probes,
        *budgets,
        module,
        unproven=(finding(1, "restore-unproven", message="No restore of data/mysql has been seen to work."),),
        suppressed=(accepted(finding(70, "gpu-pinned")),),
        notices=(Notice("k8s/apps/wiki.yaml", 3, "This ignore of pdb-missing matches nothing; take it out."),),
        undecided=(
            Undecided(
                "version-unsupported", named("wiki"), "infra/apps/wiki.tf", 9, "image", "var.wiki_image has no default"
            ),
            Undecided(
                "version-unsupported", named("shop"), "infra/apps/shop.tf", 9, "image", "var.shop_image has no default"
            ),
            Undecided(
                "rate-limit-missing",
                named("shop"),
                "infra/apps/shop.tf",
                80,
                "middlewares",
                "the chain is set by a chart",
            ),
        ),
        errors=(
            ReadError("infra/old.tf", 12, "expected a closing brace", "the rest of the file"),
            ReadError("k8s/link.yaml", 0, "a link that leaves the estate", "the file"),
        ),
        coverage=Coverage(
            files={"terraform": 330, "yaml": 21},
            resources={"terraform": 412, "manifest": 9},
            roots=3,
            skipped={"encrypted": 2},
        ),
    )
