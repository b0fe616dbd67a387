"""The same for YAML: every string of random manifests, overlays and releases knows the bytes that give it."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from random import Random
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from origins import check_origin, cuts, values, with_the_change
from shoreup.formats.files import FileTree
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin
from shoreup.model.value import Value
from shoreup.stages.auditing.reading import read as read_estate

WORD = re.compile(r"w\d{3}")
Values: TypeAlias = dict[tuple[str, Route], tuple[Value, Origin | None]]


class Yaml:
    """Random YAML whose leaves are words, each written in one of YAML's ways."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.words = 0
        self.anchors: list[str] = []

    def word(self) -> str:
        self.words += 1
        return f"w{self.words:03}{self.random.choice(('', 'é', '日', '😀'))}"

    def scalar(self, indent: int) -> str:
        """A string in one of the styles; ``indent`` is that of the line that it stands on."""
        one, two = self.word(), self.word()
        inner = " " * (indent + 2)
        anchor = ""
        if self.random.random() < 0.15:
            self.anchors.append(f"a{self.words}")
            anchor = f"&a{self.words} "
        elif self.anchors and self.random.random() < 0.2:
            return f"*{self.random.choice(self.anchors)}"
        styles = [
            one,
            f"{one} {two}",
            f"{one}:{two}",
            f"'{one} ''{two}'",
            f'"{one}\\t\\"{two}\\u00e9\\\\"',
            f'"{one}\\\n{inner}{two}"',
            f"'{one}\n{inner}{two}'",
            f"{one}\n{inner}{two}",
            f"|\n{inner}{one}\n{inner}  {two}\n\n{inner}x",
            f"|-\n{inner}{one}",
            f"|+\n{inner}{one}\n",
            f">\n{inner}{one}\n{inner}{two}\n\n{inner}{one}",
            f">-\n{inner}  {one}\n{inner}  {two}",
            f"|2-\n{inner}{one}\n{inner}{two}",
        ]
        return f"{anchor}{self.random.choice(styles)}"

    def node(self, indent: int, depth: int) -> str:
        """What stands after ``key:`` on a line of this indentation."""
        chance = self.random.random()
        pad = " " * (indent + 2)
        if depth <= 0 or chance < 0.5:
            return f" {self.scalar(indent)}\n"
        if chance < 0.6:
            flow = f"{{a: {self.word()}, 'b': \"{self.word()}\", c: [{self.word()}, {self.word()}]}}"
            return f" {flow}\n"
        if chance < 0.7:
            return f" {json.dumps({'a': self.word(), 'b': [self.word()]}, ensure_ascii=False)}\n"
        if chance < 0.85:
            items = "".join(f"{pad}-{self.node(indent + 2, depth - 1)}" for _ in range(self.random.randint(1, 3)))
            return f"\n{items}"
        keys = "".join(f"{pad}k{n}:{self.node(indent + 2, depth - 1)}" for n in range(self.random.randint(1, 3)))
        return f"  # a remark\n{keys}"

    def manifest(self, name: str) -> str:
        self.anchors = []
        head = f"apiVersion: v1\nkind: Thing\nmetadata:\n  name: {name}\n  note:{self.node(2, 1)}data:\n"
        return head + "".join(f"  k{number}:{self.node(2, 2)}" for number in range(self.random.randint(1, 5)))

    def release(self, name: str) -> str:
        self.anchors = []
        return (
            f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {name}\nspec:\n"
            "  chart:\n    spec:\n      chart: app-template\n      version: 3.5.1\n  values:\n    controllers:\n"
            f"      main:\n        containers:\n          app:\n            image:\n"
            f"              repository: {self.word()}/{self.word()}\n              tag: '{self.word()}'\n"
            f'            env:\n              A:{self.node(14, 0)}              B: "{self.word()}"\n'
            f"    configMaps:\n      c:\n        data:\n          x:{self.node(10, 0)}"
        )


def estate(seed: int) -> dict[str, str]:
    random = Random(seed)
    made = Yaml(random)
    ends = random.choice(("\n", "\n", "\r\n"))
    mark = random.choice(("", "", "\ufeff"))
    several = "---\n".join(made.manifest(f"several{number}") for number in range(3))
    listed = json.dumps({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "json"}, "data": {"a": made.word()}})
    return {
        "plain/several.yaml": mark + several.replace("\n", ends),
        "plain/one.json": listed,
        "release/release.yaml": made.release("web"),
        "base/thing.yaml": made.manifest("based"),
        "base/kustomization.yaml": "resources: [thing.yaml]\n",
        "overlay/kustomization.yaml": "resources: [../base]\nnamespace: n\npatches:\n"
        f"- patch: |\n    apiVersion: v1\n    kind: Thing\n    metadata:\n      name: based\n    data:\n"
        f"      k0: {made.word()}\n      new: '{made.word()}'\n",
    }


def read(files: dict[str, str]) -> tuple[FileTree, Values]:
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        tree = FileTree(Path(folder))
        found: Values = {}
        for number, one in enumerate(read_estate(tree, None, lambda *_: None).found):
            for route, value in values(dict(one.resource.body)):
                key = (f"{number} {one.resource.root} {one.resource.address}", route)
                found[key] = (value, one.tracer.trace(route))
        for path in tree.files:
            tree.read(path)
        return tree, found


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40)
def test_segments_spell_the_value_and_read_back_from_the_bytes(seed: int) -> None:
    tree, found = read(estate(seed))
    assert not tree.errors
    assert {address.split()[1] for address, _ in found} >= {"plain", "overlay"}
    for (_, route), (value, origin) in found.items():
        if isinstance(value, str) and WORD.search(value):
            assert origin is not None, route
        if origin is not None:
            check_origin(tree, value, origin)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40)
def test_another_word_in_its_place_changes_that_value_and_those_that_share_it(seed: int) -> None:
    files = estate(seed)
    _, before = read(files)
    words = sorted(
        {
            (segment.span.file, segment.span.start + len(segment.text[: match.start()].encode()), match[0])
            for _, origin in before.values()
            for segment in (origin.segments if origin else ())
            if segment.verbatim and not segment.derived and segment.span is not None
            for match in WORD.finditer(segment.text)
        }
    )
    file, start, word = Random(seed).choice(words)
    content = files[file].encode()
    assert content[start : start + len(word)].decode() == word
    changed = content[:start] + f"{word}q".encode() + content[start + len(word) :]
    _, after = read({**files, file: changed.decode()})
    assert before.keys() == after.keys()
    place = Span(file, start, start + len(word))
    for key, (value, origin) in before.items():
        expected = with_the_change(origin, place, f"{word}q")
        if expected is not None:
            assert after[key][0] == expected
        elif origin is not None and not any(segment.derived for segment in origin.segments):
            assert cuts(origin, place) or after[key][0] == value
