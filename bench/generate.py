"""Makes an estate of a given size, the same one each time, to measure on.

The tree is written like a platform that grew: a few shared modules called from everywhere, applications that are
one file in a root or a small module of their own, locals with maps for `for_each`, dynamic blocks, scripts and
configuration in heredocs, Helm values, some plain YAML. All of it is made up here; none of it is anyone's code.

A "resource" is what an audit has to look at in the end: one Kubernetes object or Helm release after modules,
`count` and `for_each`. The number asked for is met exactly, by the size of one map in each root.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

from applications import MANNERS, WORDS, Application, as_yaml, block, by_map, drawn

SEED = 20261123
MODULES = Path(__file__).with_name("modules")
APPLICATIONS_A_ROOT = 60
MODULE_SHARE = 0.3  # of the applications, those that are a module of their own
RESOURCES_A_FILE = 5
IN_ROOT = 'kubernetes_namespace_v1.this["apps"].metadata[0].name'

PROVIDERS = block(
    """
    provider "kubernetes" {
      config_path = "~/.kube/config"
    }
    """
)
ROOT_VARIABLES = block(
    """
    variable "domain" {
      type    = string
      default = "lab.example.org"
    }

    variable "taints" {
      type    = list(string)
      default = ["nvidia.com/gpu"]
    }
    """
)
ROOT_LOCALS = block(
    """
    locals {
      stage      = "STAGE"
      namespaces = toset(["apps", "data", "edge"])
      labels     = { for name in local.namespaces : name => merge({ owner = "lab" }, { purpose = upper(name) }) }
    }
    """
)
NAMESPACES = block(
    """
    resource "kubernetes_namespace_v1" "this" {
      for_each = local.namespaces

      metadata {
        name   = "${local.stage}-${each.key}"
        labels = local.labels[each.key]
      }
    }
    """
)
NAMESPACES_A_ROOT = 3
APPLICATION_VARIABLES = block(
    """
    variable "domain" {
      type = string
    }

    variable "namespace" {
      type = string
    }

    variable "taints" {
      type    = list(string)
      default = []
    }
    """
)


@dataclass
class Tree:
    """Files by their path in the estate, and how many resources they make."""

    contents: dict[str, str] = field(default_factory=dict)
    resources: int = 0

    def add(self, path: str, text: str, resources: int = 0) -> None:
        self.contents[path] = text
        self.resources += resources

    @property
    def files(self) -> int:
        """Those that are counted: templates belong to the file that reads them."""
        return sum(path.endswith((".tf", ".yaml")) for path in self.contents)

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(len(text.encode()) for text in self.contents.values())

    def write(self, target: Path) -> None:
        for path, text in self.contents.items():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")


def add_modules(tree: Tree) -> None:
    for file in sorted(MODULES.rglob("*.t*")):
        tree.add(f"modules/{file.relative_to(MODULES).as_posix()}", file.read_text(encoding="utf-8"))


def add_root(tree: Tree, root: str, versions: str) -> None:
    tree.add(f"{root}/versions.tf", versions)
    tree.add(f"{root}/providers.tf", PROVIDERS)
    tree.add(f"{root}/variables.tf", ROOT_VARIABLES)
    tree.add(f"{root}/locals.tf", ROOT_LOCALS.replace("STAGE", root.rpartition("/")[2]))
    tree.add(f"{root}/namespaces.tf", NAMESPACES, NAMESPACES_A_ROOT)


def add_as_module(tree: Tree, root: str, name: str, text: str, resources: int, versions: str) -> None:
    """The application in a folder of its own, called once by the root: four files."""
    folder = f"applications/{name}"
    tree.add(f"{folder}/main.tf", text, resources)
    tree.add(f"{folder}/variables.tf", APPLICATION_VARIABLES)
    tree.add(f"{folder}/versions.tf", versions)
    tree.add(
        f"{root}/{name}.tf",
        block(
            f"""
            module "{name}" {{
              source = "../../{folder}"

              domain    = var.domain
              namespace = {IN_ROOT}
              taints    = var.taints
            }}
            """
        ),
    )


def estate(files: int, resources: int, yaml_share: float = 0.0) -> Tree:
    """The tree with exactly so many `.tf` and `.yaml` files, and so many resources.

    Raises ValueError where so many files cannot make so few resources.
    """
    dice = random.Random(SEED)
    tree = Tree()
    add_modules(tree)
    versions = tree.contents["modules/service/versions.tf"]

    for number in range(int(files * yaml_share)):
        text, count = as_yaml(drawn(number, "manifests", dice))
        tree.add(f"manifests/{number // 100:03}/{number:05}.yaml", text, count)

    manners = [manner for manner, weight in MANNERS for _ in range(weight)]
    roots: list[str] = []
    made, number = tree.files, 0
    while made < files:
        if number % APPLICATIONS_A_ROOT == 0:
            roots.append(f"live/{WORDS[len(roots) % len(WORDS)]}-{len(roots):02}")
            add_root(tree, roots[-1], versions)
            made = tree.files + len(roots)  # each root gets its map at the end
        manner = dice.choice(manners)
        as_module = files - made >= 4 and dice.random() < MODULE_SHARE
        app = drawn(number, "var.namespace" if as_module else IN_ROOT, dice)
        text, count = manner(app)
        text = text.replace("{modules}", "../../modules")
        if as_module:
            add_as_module(tree, roots[-1], app.name, text, count, versions)
        elif made < files:
            tree.add(f"{roots[-1]}/{app.name}.tf", text, count)
        made += 4 if as_module else 1
        number += 1

    missing = resources - tree.resources
    if missing < 0 or tree.files + len(roots) != files:
        raise ValueError(f"{files} files make {tree.resources} resources at least: ask for more, or for other numbers")
    for position, root in enumerate(roots):
        entries = missing // len(roots) + (position < missing % len(roots))
        text, count = by_map(Application(f"tenants{position}", IN_ROOT, "", "", 0, dice), entries)
        tree.add(f"{root}/tenants.tf", text, count)
    return tree


def main() -> int:
    options = argparse.ArgumentParser(description="Makes an estate of a given size, the same one each time.")
    options.add_argument("target", type=Path, help="an empty or new folder")
    options.add_argument("--files", type=int, default=330)
    options.add_argument("--resources", type=int, help=f"default: {RESOURCES_A_FILE} a file")
    options.add_argument("--yaml", type=float, default=0.0, metavar="SHARE", help="share of files that are manifests")
    chosen = options.parse_args()
    if chosen.target.exists() and any(chosen.target.iterdir()):
        print(f"{chosen.target} is not empty; name another folder", file=sys.stderr)
        return 2
    try:
        tree = estate(chosen.files, chosen.resources or chosen.files * RESOURCES_A_FILE, chosen.yaml)
    except ValueError as trouble:
        print(trouble, file=sys.stderr)
        return 2
    tree.write(chosen.target)
    print(f"{tree.files} files, {tree.resources} resources, {tree.size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
