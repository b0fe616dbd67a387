"""What a repository holds beside resources and says something about how it is run: bots that change it, checks that
run before a commit, documents about recovery.

A file is told by its name; of documents also the headings count. Nothing here is a resource, and nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from shoreup.formats.files import FileTree

MAX_DOCUMENTS = 500
"""More documents than that are a web site; those with a telling name come first."""


class Role(StrEnum):
    """What a file is for."""

    UPDATE_BOT = "update-bot"
    CHECKS = "checks"
    RECOVERY_PLAN = "recovery-plan"
    IMAGE_BUILD = "image-build"
    BACKUP_SCRIPT = "backup-script"
    SETTINGS = "settings"


class RepositoryFile(Struct, frozen=True):
    """A file with a role. ``title`` names the bot or the tool, or is the heading that tells; ``line`` is 1-based."""

    path: str
    role: Role
    title: str
    text: str
    line: int = 1


_BOT = Role.UPDATE_BOT
_NAMES: tuple[tuple[re.Pattern[str], Role, str], ...] = (
    (re.compile(r"^(?:\.(?:github|gitlab|gitea|forgejo)/)?\.?renovate(?:rc)?(?:\.json5?)?$"), _BOT, "Renovate"),
    (re.compile(r"^shoreup\.toml$"), Role.SETTINGS, "Shoreup"),
    (re.compile(r"^\.github/dependabot\.ya?ml$"), _BOT, "Dependabot"),
    (re.compile(r"^\.pre-commit-config\.ya?ml$"), Role.CHECKS, "pre-commit"),
    (re.compile(r"^\.?lefthook\.(?:ya?ml|toml|json)$"), Role.CHECKS, "lefthook"),
    (re.compile(r"^atlantis\.ya?ml$"), Role.CHECKS, "Atlantis"),
    (re.compile(r"^\.spacelift/config\.ya?ml$"), Role.CHECKS, "Spacelift"),
    (re.compile(r"^(?:GNUm|M|m)akefile$"), Role.CHECKS, "make"),
    (re.compile(r"^\.?[Jj]ustfile$"), Role.CHECKS, "just"),
    (re.compile(r"^(?:\.taskfiles/.*|\.task/.*|[Tt]askfile(?:\.dist)?)\.ya?ml$"), Role.CHECKS, "task"),
    (re.compile(r"^\.?mise\.toml$|^\.mise/.*\.toml$"), Role.CHECKS, "mise"),
    (
        re.compile(r"(?:^|/)(?:Dockerfile|Containerfile|Earthfile)(?:\.[\w.-]+)?$|\.(?:[Dd]ocker|[Cc]ontainer)file$"),
        Role.IMAGE_BUILD,
        "image build",
    ),
    (
        re.compile(
            r"(?:^|/)[^/]*(?:back-?up|restic|borg|dump|snapshot)[^/]*\.(?:sh|bash|zsh|py|pl|cron|service|timer|j2)$|"
            r"(?:^|/)roles/[^/]*back-?up[^/]*/tasks/[^/]+\.ya?ml$",
            re.IGNORECASE,
        ),
        Role.BACKUP_SCRIPT,
        "backup script",
    ),
    (
        re.compile(r"(?:^|/)(?:docker-bake\.(?:hcl|json)|apko\.ya?ml|melange\.ya?ml|project\.toml)$"),
        Role.IMAGE_BUILD,
        "image build",
    ),
)  # fmt: skip
_DOCUMENT = re.compile(r"\.(?:md|markdown|mdx|rst|adoc|asciidoc|org|txt)$", re.IGNORECASE)
_ABOUT_RECOVERY = re.compile(
    r"\b(?:disaster|recover(?:y|ing)?|restor(?:e|ing|ation)|runbooks?|run[- ]?books?|playbook for outages|"
    r"bare[- ]metal rebuild|rebuild(?:ing)? (?:the |my |a )?cluster|wiederherstellung|notfall\w*)\b",
    re.IGNORECASE,
)
_NAME_PARTS = re.compile(r"[-_./ ]+")
_HEADING = re.compile(r"^(?:#{1,6}|={1,6}|\*{2,6})[ \t]+(?P<title>\S.*)$", re.MULTILINE)
_UNDERLINED = re.compile(r"^(?P<title>\S.*)\n(?:={3,}|-{3,}|~{3,})[ \t]*$", re.MULTILINE)
_NOT_OURS = ("node_modules/", "vendor/", "third_party/", "charts/")
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def read_repository(tree: FileTree) -> Iterator[RepositoryFile]:
    """Every file of the estate that has a role."""
    documents: list[tuple[bool, str]] = []
    for path in tree.files:
        for pattern, role, title in _NAMES:
            if pattern.search(path):
                text = tree.text(path)
                if text is not None:
                    yield RepositoryFile(path, role, title, text)
                break
        else:
            if _DOCUMENT.search(path) and not any(part in f"{path}/" for part in _NOT_OURS):
                documents.append((not _named_so(path), path))
    for _, path in sorted(documents)[:MAX_DOCUMENTS]:
        found = _plan(tree, path)
        if found is not None:
            yield found


def _plan(tree: FileTree, path: str) -> RepositoryFile | None:
    text = tree.text(path)
    if text is None or not text.strip():
        return None
    if _named_so(path):
        return RepositoryFile(path, Role.RECOVERY_PLAN, path, text)
    prose = _FENCED.sub(lambda fence: "\n" * fence[0].count("\n"), text)
    for pattern in (_HEADING, _UNDERLINED):
        for heading in pattern.finditer(prose):
            if _ABOUT_RECOVERY.search(heading["title"]):
                line = prose.count("\n", 0, heading.start()) + 1
                return RepositoryFile(path, Role.RECOVERY_PLAN, heading["title"], text, line)
    return None


def _named_so(path: str) -> bool:
    return _ABOUT_RECOVERY.search(_NAME_PARTS.sub(" ", path.rpartition(".")[0])) is not None


def part_of_more(tree: FileTree) -> bool:
    """Whether the estate is a part of a repository, so that what is missing here may be elsewhere in it."""
    if tree.only:
        return True
    if (tree.root / ".git").exists():
        return False
    return any((folder / ".git").exists() for folder in tree.root.resolve().parents)
