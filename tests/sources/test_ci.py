"""Pipelines are found where each system looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoreup.formats.files import FileTree
from shoreup.model.value import at
from shoreup.sources.ci import kind_of, read_pipelines


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (".github/workflows/test.yaml", "github-workflow"),
        (".github/workflows/sub/test.yaml", ""),
        (".github/actions/setup/action.yml", "github-action"),
        (".github/renovate.yaml", ""),
        (".forgejo/workflows/a.yml", "forgejo-workflow"),
        (".gitea/workflows/a.yml", "gitea-workflow"),
        ("sub/.gitlab-ci.yml", "gitlab-pipeline"),
        (".woodpecker.yml", "woodpecker-pipeline"),
        (".woodpecker/build/a.yaml", "woodpecker-pipeline"),
        (".drone.yml", "drone-pipeline"),
        ("Jenkinsfile", "jenkins-pipeline"),
        ("jobs/Jenkinsfile.deploy", "jenkins-pipeline"),
        ("NotAJenkinsfile", ""),
    ],
)
def test_a_pipeline_is_known_by_its_path(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_a_workflow_keeps_its_words_and_its_places(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = "name: test\non: [push]\njobs:\n  a:\n    steps:\n      - run: |\n          make test\n"
    (folder / "test.yaml").write_text(text)
    (found,) = read_pipelines(FileTree(tmp_path))
    resource = found.resource
    assert (resource.api_version, resource.kind, resource.name) == ("ci", "github-workflow", "test")
    assert resource.body["on"] == ["push"], "on is a word here, not a truth"
    route = ("jobs", "a", "steps", 0, "run")
    assert at(dict(resource.body), *route) == "make test\n"
    origin = found.tracer.trace(route)
    assert origin is not None
    assert origin.text == "make test\n"


def test_each_document_of_a_file_is_a_pipeline_and_a_broken_one_is_told(tmp_path: Path) -> None:
    (tmp_path / ".drone.yml").write_text("kind: pipeline\nname: a\n---\nname: b\n---\n[: broken\n")
    tree = FileTree(tmp_path)
    assert [found.resource.name for found in read_pipelines(tree)] == ["a", "b"]
    assert [error.file for error in tree.errors] == [".drone.yml"]


def test_a_jenkinsfile_is_noted_with_its_text(tmp_path: Path) -> None:
    (tmp_path / "Jenkinsfile").write_text("pipeline { agent any }\n")
    (found,) = read_pipelines(FileTree(tmp_path))
    assert found.resource.body == {"text": "pipeline { agent any }\n"}
    origin = found.tracer.trace(("text",))
    assert origin is not None
    assert origin.text == "pipeline { agent any }\n"
