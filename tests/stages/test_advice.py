"""The advice that must never be given, held against everything that is advised for estates which tempt to it.

Each piece of such advice is a rule that looks at what is known of the estate, not at what the concern thought. That a
rule can fail is a test of its own: it is shown the advice, in the words and in the edits in which it would come.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from shoreup.concerns.registry import all_concerns
from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.fields import mapping
from shoreup.facts.products import with_products
from shoreup.facts.versions.support import support
from shoreup.formats.files import FileTree
from shoreup.model.edit import Put, Repair
from shoreup.model.finding import Draft, Fix, Safety
from shoreup.stages.auditing.examination import Asked, examination

TODAY = date(2026, 11, 23)
TOP = Path(__file__).parents[2]


def workload(name: str, image: str, *, more: str = "", kind: str = "Deployment", pod: str = "", box: str = "") -> str:
    """A workload with its Service, as a manifest."""
    service = f"serviceName: {name}" if kind == "StatefulSet" else "paused: false"
    return f"""---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: lab}}
spec:
  {service}
  {more or "replicas: 1"}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      {pod or "enableServiceLinks: false"}
      containers:
        - name: {name}
          image: {image}
          ports: [{{containerPort: 8080}}]
          {box or "stdin: false"}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: lab}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 8080}}]}}
"""


NFS = "volumes: [{{name: data, nfs: {{server: 192.0.2.5, path: /{0}}}}}]"
MOUNT = "volumeMounts: [{{name: data, mountPath: {0}}}]"
DATABASES = {
    "db": ("postgres:12.4", "/var/lib/postgresql/data"),
    "files": ("mysql:9.2.0", "/var/lib/mysql"),
    "notes": ("mariadb:11.3.2", "/var/lib/mysql"),
    "old": ("postgres:17rc1", "/var/lib/postgresql/data"),
}
CLIENT = "env: [{{name: DB_HOST, value: {0}.lab.svc}}]"
TEMPTING = "".join(
    [
        *(
            workload(name, image, kind="StatefulSet", pod=NFS.format(name), box=MOUNT.format(path))
            for name, (image, path) in DATABASES.items()
        ),
        *(
            workload(
                f"app-{name}-{n}", "ghcr.io/example/app:1.0.0", box=f"env: [{{name: DB_HOST, value: {name}.lab.svc}}]"
            )
            for name in DATABASES
            for n in range(4)
        ),
        workload("draw", "excalidraw/excalidraw:latest", more="replicas: 3"),
        workload("home", "ghcr.io/home-assistant/home-assistant:stable"),
        workload("login", "authelia/authelia:4.38.17"),
        workload(
            "models",
            "ollama/ollama:0.5.4",
            pod="nodeSelector: {kubernetes.io/hostname: forge}",
            box="resources: {limits: {nvidia.com/gpu: 1}}",
        ),
        """---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: login, namespace: lab}
spec: {minAvailable: 1, selector: {matchLabels: {app: login}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: bridge, namespace: lab}
data: {API_TOKEN: ghp_9sKd83hLq0ZxVb27RtYpWmNc45EfGh1aJk6T}
""",
    ]
)
FROZEN = """resource "kubernetes_deployment_v1" "chat" {
  metadata {
    name        = "chat"
    namespace   = "lab"
    annotations = { "keel.sh/policy" = "force" }
  }
  spec {
    selector {
      match_labels = { app = "chat" }
    }
    template {
      metadata {
        labels = { app = "chat" }
      }
      spec {
        container {
          name  = "chat"
          image = "ghcr.io/example/chat:main"
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].template[0].spec[0].container[0].image]
  }
}
"""


@dataclass(frozen=True)
class Advice:
    """What is advised for one finding: the fixes that it names, and the edits that they ask for."""

    estate: Estate
    draft: Draft
    fixes: tuple[Fix, ...]
    edits: tuple[object, ...] = ()

    @property
    def words(self) -> str:
        """Everything that a person would read of it, and the edits as they are asked for."""
        return " | ".join([*(f"{one.title}; {one.reason}" for one in self.fixes), *map(repr, self.edits)])

    @property
    def workload(self) -> Workload | None:
        """The workload that it is about."""
        return next((one for one in self.estate.workloads if one.resource.key == self.draft.at.resource), None)

    @property
    def containers(self) -> tuple[Container, ...]:
        """The containers that it is about."""
        boxes = self.workload.containers if self.workload is not None else ()
        return tuple(one for one in boxes if self.draft.at.container in ("", one.name))


def more_replicas_of_one_writer(advice: Advice) -> bool:
    """More replicas of a database that bears one writer, where an operator or a standby is what helps."""
    products = (with_products().get(box.image.product) for box in advice.containers)
    if not any(one is not None and one.kind == "database" and one.writers != "many" for one in products):
        return False
    said = re.search(r"\b(?:two|three|several|more|[2-9]) replicas\b(?! of the same workload would)", advice.words)
    return said is not None or any(isinstance(one, Put) and one.route[-1] == "replicas" for one in advice.edits)


def relaxed_attributes(advice: Advice) -> bool:
    """Mount options by which clients of NFS see old attributes: for the files of a database that is damage."""
    return re.search(r"\b(?:ac(?:timeo|reg(?:min|max)|dir(?:min|max))|nocto|lookupcache)\b", advice.words) is not None


def new_processor_limit(advice: Advice) -> bool:
    """A limit on the processor where there is none."""
    limited = any("cpu" in mapping(mapping(box.body.get("resources")).get("limits")) for box in advice.containers)
    said = r"(?:add|set|give)[^;|]*\b(?:cpu|processor) limit|limits\.cpu|'limits', 'cpu'|'limits': \{[^}]*'cpu'"
    return not limited and re.search(said, advice.words, re.IGNORECASE) is not None


def latest_of_anything(advice: Advice) -> bool:
    """``latest`` as something to move to."""
    return re.search(r":latest\b|\b(?:to|tag|use|pull) [`']?latest\b|\blatest (?:tag|image)", advice.words) is not None


def blocking_budget(advice: Advice) -> bool:
    """A budget that no drain can satisfy."""
    least = re.search(r"minAvailable['\"]?: ?['\"]?(\d+)(%?)", advice.words)
    most = re.search(r"maxUnavailable['\"]?: ?['\"]?(\d+)", advice.words)
    replicas = advice.workload.replicas if advice.workload is not None else 1
    floor = replicas if isinstance(replicas, int) else 1
    if least is not None and (int(least[1]) >= 100 if least[2] else int(least[1]) >= floor):
        return True
    return most is not None and int(most[1]) == 0


def unfit_release(advice: Advice) -> bool:
    """A release candidate, a release that is gone in months, one out of support, or an older one, to move to."""
    for title, version in re.findall(r"Move to ([A-Z][\w .]*?) (\d[\w.-]*)", advice.words):
        product = next(one for one in with_products().by_id.values() if one.title == title)
        known = support(product, version, TODAY)
        if known is None or not known.supported or known.kind == "candidate":
            return True
        if known.kind == "short-lived" and product.lasting:
            return True
        runs = next((box.image.version for box in advice.containers if box.image.product == product.id), "0")
        if numbers(version) < numbers(runs)[: len(numbers(version))]:
            return True
    return False


def unignored_field_of_another(advice: Advice) -> bool:
    """An entry of ``ignore_changes`` dropped although another controller writes the field."""
    written = advice.workload is not None and "keel.sh/policy" in str(advice.workload.resource.body)
    return written and re.search(r"ignore_changes|drop the entry", advice.words, re.IGNORECASE) is not None


def processor_for_a_card(advice: Advice) -> bool:
    """Work without a card, proposed for an image that may not be able to do it."""
    said = r"fall(?:s|ing)? ?back|on (?:a|the) (?:cpu|processor)|without (?:a|the) (?:card|gpu)"
    return advice.draft.concern.startswith("gpu-") and re.search(said, advice.words, re.IGNORECASE) is not None


def burnt_secret_kept(advice: Advice) -> bool:
    """A secret that lay in a ConfigMap, in clear or in a log only moved elsewhere: it counts as known."""
    burnt = {"secret-in-configmap", "secret-in-plain-text", "credential-in-log"}
    return advice.draft.concern in burnt and re.search(r"\breplac|\brotat", advice.words) is None


Rule = Callable[[Advice], bool]
BAD: Mapping[Rule, tuple[str, str, tuple[object, ...]]] = {
    more_replicas_of_one_writer: ("replica-single", "Run three replicas", ()),
    relaxed_attributes: ("storage-single-server", "Mount with actimeo=60", ()),
    new_processor_limit: ("memory-limit-missing", "Add a CPU limit beside it", ()),
    latest_of_anything: ("image-tag-mutable", "Move it to latest", ()),
    blocking_budget: ("pdb-blocks-drain", "Set minAvailable: 1", ()),
    unfit_release: ("version-unsupported", "Move to MySQL 9.5", ()),
    unignored_field_of_another: ("resources-requests-missing", "Add them and drop the entry from ignore_changes", ()),
    processor_for_a_card: ("gpu-pinned", "Let it fall back to the processor", ()),
    burnt_secret_kept: ("secret-in-configmap", "Move it into a Secret", ()),
}
"""For each rule the advice that it is there for, and a concern of whose findings that could come."""


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


@cache
def advised(root: Path) -> tuple[Advice, ...]:
    """Everything that is advised for an estate."""
    asked = Asked(all_concerns(), TODAY)
    seen = examination(FileTree(root, ()), asked, lambda *_: None)
    return tuple(_each(seen.estate, seen.drafts.values()))


def _each(estate: Estate, drafts: Iterable[Draft]) -> Iterator[Advice]:
    concerns = {kind.id: kind() for kind in all_concerns()}
    for draft in drafts:
        repair = concerns[draft.concern].repair(estate, draft)
        edits = repair.edits if isinstance(repair, Repair) else ()
        fixes = (*draft.fixes, repair.fix) if isinstance(repair, Repair) else draft.fixes
        yield Advice(estate, draft, fixes, edits)


@pytest.fixture(scope="module")
def tempting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An estate with an occasion for each piece of bad advice."""
    root = tmp_path_factory.mktemp("tempting")
    (root / "lab.yaml").write_text(TEMPTING)
    (root / "main.tf").write_text(FROZEN)
    return root


def broken(root: Path) -> list[str]:
    """What is advised against a rule."""
    return [f"{rule.__name__}: {one.draft.concern}: {one.words}" for one in advised(root) for rule in BAD if rule(one)]


def test_it_is_not_given_where_everything_tempts_to_it(tempting: Path) -> None:
    assert broken(tempting) == []


def test_it_is_not_given_for_the_example() -> None:
    assert broken(TOP / "examples" / "homelab") == []


@pytest.mark.parametrize("rule", BAD, ids=lambda rule: rule.__name__)
def test_each_rule_knows_the_advice_that_it_is_there_for(rule: Rule, tempting: Path) -> None:
    concern, title, edits = BAD[rule]
    occasions = [one for one in advised(tempting) if one.draft.concern == concern]
    assert occasions, f"nothing tempts: no finding of {concern}"
    given = [Advice(one.estate, one.draft, (Fix(title, Safety.SHOWN, "so they say"),), edits) for one in occasions]
    assert any(rule(one) for one in given)


@pytest.mark.parametrize(
    ("concern", "rule", "bad"),
    [
        ("replica-single", more_replicas_of_one_writer, ("spec", "replicas")),
        ("memory-limit-missing", new_processor_limit, ("spec", "template", "resources", "limits", "cpu")),
    ],
)
def test_an_edit_is_seen_as_words_are(concern: str, rule: Rule, bad: tuple[str, ...], tempting: Path) -> None:
    one = next(one for one in advised(tempting) if one.draft.concern == concern)
    assert not rule(one)
    assert rule(Advice(one.estate, one.draft, one.fixes, (Put(one.draft.at.resource, bad, 2),)))


@pytest.mark.parametrize("version", ["9.5", "5.7", "8.0"])
def test_releases_that_do_not_last_or_are_over_are_no_advice(version: str, tempting: Path) -> None:
    one = next(one for one in advised(tempting) if one.draft.concern == "version-unsupported" and "MySQL" in one.words)
    assert unfit_release(Advice(one.estate, one.draft, (Fix(f"Move to MySQL {version}", Safety.SHOWN, ""),)))


def test_what_is_written_by_another_controller_is_a_question(tempting: Path) -> None:
    """Without the other controller it is a finding, so the rule has something to guard."""
    assert "image-update-frozen" not in {
        one.draft.concern for one in advised(tempting) if one.workload is not None and one.workload.name == "chat"
    }
    alone = tempting.parent / "alone"
    alone.mkdir()
    (alone / "main.tf").write_text(FROZEN.replace('{ "keel.sh/policy" = "force" }', "{}"))
    assert any("ignore_changes" in one.words for one in advised(alone))


def test_without_knowing_what_bears_one_writer_the_advice_would_come(
    tempting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same estate, with products that bear any number: then replicas are advised, and the rule sees it."""
    known = with_products()
    careless = [replace(one, writers="many") for one in known.by_id.values() if one.kind == "database"]
    monkeypatch.setattr("shoreup.stages.auditing.examination.own_products", lambda given: tuple(careless))
    seen = examination(FileTree(tempting, ()), Asked(all_concerns(), TODAY), lambda *_: None)
    assert any(more_replicas_of_one_writer(one) for one in _each(seen.estate, seen.drafts.values()))
