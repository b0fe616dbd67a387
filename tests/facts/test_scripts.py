"""Programs in containers and ConfigMaps, each with the way back to the field that holds it."""

from __future__ import annotations

from textwrap import dedent

import yaml
from msgspec.structs import replace

from shoreup.facts.build import build
from shoreup.facts.estate import Estate, Script
from shoreup.facts.programs.scripts import place_in, program
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.sources.manifests import resource_of


def resources(*manifests: str) -> list[Resource]:
    found: list[Resource] = []
    for manifest in manifests:
        for body in yaml.safe_load_all(dedent(manifest)):
            resource = resource_of(body, ".", "manifest")
            assert resource is not None
            found.append(replace(resource, key=len(found)))
    return found


def pod(command: str, more: str = "") -> str:
    return f"""
        apiVersion: v1
        kind: Pod
        metadata: {{name: a, namespace: n}}
        spec:
          containers:
            - name: c
              image: alpine:3.21
              command: {command}
              {more}
        """


def estate(*manifests: str) -> Estate:
    return build(resources(*manifests))


def one(*manifests: str) -> Script:
    found = estate(*manifests).scripts
    assert len(found) == 1, found
    return found[0]


def with_command(command: list[Value]) -> Script:
    (resource,) = resources(pod("[]"))
    body = dict(resource.body)
    body["spec"] = {"containers": [{"name": "c", "image": "alpine:3.21", "command": command}]}
    (script,) = build([replace(resource, body=body)]).scripts
    return script


def test_the_word_after_c_is_a_shell_program() -> None:
    script = one(pod('["/bin/bash", "-ec", "echo a; echo b"]'))
    assert (script.language, script.text) == ("shell", "echo a; echo b")
    assert script.place.route == ("spec", "containers", 0, "command", 2)
    assert all(command.options.errexit for command in program(script).commands)


def test_command_and_arguments_are_one_list() -> None:
    script = one(pod('["sh"]', 'args: ["-c", "echo a"]'))
    assert script.text == "echo a"
    assert script.place.route == ("spec", "containers", 0, "args", 1)


def test_python_after_c_is_python() -> None:
    assert one(pod('["python3", "-c", "print(1)"]')).language == "python"


def test_a_command_without_a_shell_leads_back_to_its_items() -> None:
    script = one(pod('["pg_dump", "--file=/b/my file", "app"]'))
    (command,) = program(script).commands
    assert [word.text for word in command.words] == ["pg_dump", "--file=/b/my file", "app"]
    file = command.words[1].drop(len("--file="))
    place = place_in(script, file.start, file.end)
    assert place.route == ("spec", "containers", 0, "command", 1)
    assert place.chars == (len("--file="), len("--file=/b/my file"))


def test_quotes_in_an_item_are_borne() -> None:
    script = one(pod("""["echo", "it's", "a \\"b\\" $C `d`"]"""))
    (command,) = program(script).commands
    assert [word.literal for word in command.words] == ["echo", "it's", 'a "b" $C `d`']


def test_what_kubernetes_puts_in_is_a_variable_when_the_container_has_it() -> None:
    env = "env: [{name: PASSWORD, value: x}]"
    (command,) = program(one(pod('["redis-cli", "-a", "$(PASSWORD)", "$(OTHER)"]', env))).commands
    assert command.words[2].variables == ("PASSWORD",)
    assert command.words[3].literal == "$(OTHER)"


def test_unknown_parts_are_gaps() -> None:
    script = with_command(["sh", "-c", PartialText(("pg_dump -h ", Unknown("later"), " app"))])
    assert not script.complete
    (command,) = program(script).commands
    assert [part.kind for part in command.words[2].parts] == ["unknown"]
    assert script.text[command.words[3].start : command.words[3].end] == "app"
    bare = with_command(["pg_dump", Unknown("later"), "app"])
    assert [part.kind for part in program(bare).commands[0].words[1].parts] == ["unknown"]


def test_an_image_that_is_one_tool_gets_its_arguments() -> None:
    manifest = pod("null", 'args: ["backup", "/data"]').replace("alpine:3.21", "restic/restic:0.17.3")
    assert program(one(manifest)).commands[0].name == "restic"


MAP = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: scripts, namespace: n}
    data:
      run.sh: |
        echo hello
      lib: |
        #!/usr/bin/env bash
        echo lib
      tool.py: |
        import os
      notes.txt: |
        rm -rf everything
    """
MOUNT = "volumeMounts: [{name: s, mountPath: /s}]\n          volumes: [{name: s, configMap: {name: scripts}}]"


def test_scripts_in_config_maps_are_known_by_suffix_or_first_line() -> None:
    found = estate(MAP).scripts
    assert sorted((str(script.place.route[-1]), script.language) for script in found) == [
        ("lib", "shell"),
        ("run.sh", "shell"),
        ("tool.py", "python"),
    ]
    assert all(script.workload is None for script in found)


def test_a_mounted_script_belongs_to_the_container_that_starts_it() -> None:
    found = estate(pod('["sh", "/s/run.sh"]', MOUNT), MAP).scripts
    owners = {str(script.place.route[-1]): script.workload for script in found}
    assert owners["run.sh"] is not None
    assert owners["lib"] is None


def test_a_mounted_file_without_a_telling_name_is_what_it_is_run_as() -> None:
    found = estate(pod('["sh", "-c", ". /s/notes.txt"]', MOUNT), MAP).scripts
    assert any(script.place.route[-1] == "notes.txt" and script.language == "shell" for script in found)


def test_renamed_keys_and_single_files_are_followed() -> None:
    renamed = MOUNT.replace("{name: scripts}", "{name: scripts, items: [{key: run.sh, path: go}]}")
    owned = [script for script in estate(pod('["/s/go"]', renamed), MAP).scripts if script.workload is not None]
    assert any(script.place.route[-1] == "run.sh" for script in owned)
    single = MOUNT.replace("mountPath: /s}", "mountPath: /usr/bin/go, subPath: run.sh}")
    owned = [script for script in estate(pod('["/usr/bin/go"]', single), MAP).scripts if script.workload is not None]
    assert any(script.place.route[-1] == "run.sh" for script in owned)
