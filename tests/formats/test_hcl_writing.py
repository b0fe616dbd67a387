"""Edits of HCL: what was asked for is there, nothing else is, and it is laid out as the file was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from hashicorp import formatted, needs_hashicorp, refusal
from shoreup.formats.edits import CannotWrite, replaced
from shoreup.formats.hcl import Source, parse_file
from shoreup.formats.hcl.rendering import Code, NewAttribute, NewBlock, Plain
from shoreup.formats.hcl.syntax import Body, Expression, File, ListOf, Literal, ObjectOf, Template
from shoreup.formats.hcl.writing import Changes, Writer

Data: TypeAlias = "dict[str, Data] | list[Data] | str | int | float | bool | None"


# What a file says


def data_of(body: Body) -> Data:
    """What a body says, without how it says it."""
    arguments: dict[str, Data] = {name: value_of(item.expression) for name, item in body.attributes.items()}
    blocks: list[Data] = [[block.kind, list(block.labels), data_of(block.body)] for block in body.blocks]
    return {"arguments": arguments, "blocks": blocks}


def value_of(node: Expression) -> Data:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Template) and node.constant is not None:
        return node.constant
    if isinstance(node, ListOf):
        return [value_of(item) for item in node.items]
    if isinstance(node, ObjectOf):
        return {str(value_of(key)): value_of(value) for key, value in node.items}
    return "code: " + node.source.text[node.start : node.end]


def read(content: bytes) -> File:
    file = parse_file(Source("main.tf", content))
    assert file.problems == []
    return file


def edited(content: str | bytes, edit: Callable[[Writer, File], Changes]) -> str:
    """A file after an edit."""
    raw = content.encode() if isinstance(content, str) else content
    file = read(raw)
    writer = Writer(file)
    return replaced(raw, writer.replacements(edit(writer, file))).decode()


def body_at(file: File, *kinds: str) -> Body:
    body = file.body
    for kind in kinds:
        body = next(block.body for block in body.blocks if block.kind == kind)
    return body


def comments(file: File) -> list[str]:
    return [file.source.text[comment.start : comment.end].rstrip("\r") for comment in file.comments]


# Where new things stand


def test_an_argument_stands_with_the_arguments_and_the_columns_stay_in_line() -> None:
    text = 'container {\n  name  = "a"\n  image = "b" # pinned\n\n  port {\n    number = 1\n  }\n}\n'
    after = edited(text, lambda w, f: w.insert_attribute(body_at(f, "container"), "image_pull_policy", "Always"))
    assert after == (
        'container {\n  name              = "a"\n  image             = "b" # pinned\n  image_pull_policy = "Always"\n\n'
        "  port {\n    number = 1\n  }\n}\n"
    )


def test_columns_that_nobody_kept_are_left_alone() -> None:
    text = 'container {\n    name = "a"\n    image = "b"\n    args   = ["c"]\n}\n'
    after = edited(text, lambda w, f: w.insert_attribute(body_at(f, "container"), "image_pull_policy", "Always"))
    assert after == text.replace("]\n", ']\n    image_pull_policy = "Always"\n')


def test_a_block_stands_behind_its_kind_or_the_nearest_of_a_related_kind() -> None:
    text = "pod {\n  a = 1\n\n  port {\n  }\n\n  env {\n  }\n\n  port {\n  }\n\n  probe {\n  }\n}\n"
    new = NewBlock("port", (NewAttribute("number", 2),))
    after = edited(text, lambda w, f: w.insert_block(body_at(f, "pod"), new))
    assert after == text.replace("\n  probe", "\n  port {\n    number = 2\n  }\n\n  probe")
    other = NewBlock("volume", ())
    after = edited(text, lambda w, f: w.insert_block(body_at(f, "pod"), other, behind=(("mount",), ("env",))))
    assert after == text.replace("env {\n  }\n", "env {\n  }\n\n  volume {}\n")
    after = edited(text, lambda w, f: w.insert_block(body_at(f, "pod"), other, behind=((),)))
    assert after == text.replace("a = 1\n", "a = 1\n\n  volume {}\n")


def test_blank_lines_between_blocks_are_as_the_file_has_them() -> None:
    text = "pod {\n\tport {\n\t\ta = 1\n\t}\n\tenv {\n\t\tb = 1\n\t}\n}\n"
    new = NewBlock("probe", (NewAttribute("path", "/"),))
    after = edited(text, lambda w, f: w.insert_block(body_at(f, "pod"), new))
    assert after == text.replace("b = 1\n\t}\n", 'b = 1\n\t}\n\tprobe {\n\t\tpath = "/"\n\t}\n')


def test_a_block_on_one_line_is_opened() -> None:
    text = "port { number = 80 }\n"
    after = edited(text, lambda w, f: w.insert_attribute(body_at(f, "port"), "name", "http"))
    assert after == 'port {\n  number = 80\n  name   = "http"\n}\n'
    after = edited("empty_dir {}\n", lambda w, f: w.insert_attribute(body_at(f, "empty_dir"), "medium", "Memory"))
    assert after == 'empty_dir {\n  medium = "Memory"\n}\n'


def test_a_new_block_of_the_file_comes_behind_another() -> None:
    text = 'resource "a" "b" {\n  x = 1\n}'
    new = NewBlock("resource", (NewAttribute("y", Code("a.b.x")),), ("c", "d"))
    after = edited(text, lambda w, f: w.add_block(f.body.blocks[0], new))
    assert after == text + '\n\nresource "c" "d" {\n  y = a.b.x\n}'


# Values


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ('a "b" \\ ${c} %{d} $e %f', '"a \\"b\\" \\\\ $${c} %%{d} $e %f"'),
        ("tab\there\r", '"tab\\there\\r"'),
        ("one\ntwo", '"one\\ntwo"'),
        ("one\n${two}\n\nthree\n", "<<-EOT\n    one\n    $${two}\n\n    three\n  EOT"),
        ("  two spaces\n  each\n", '"  two spaces\\n  each\\n"'),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        ([], "[]"),
        (["a", 1], '["a", 1]'),
        ({}, "{}"),
        ({"app": "x", "a/b": 1}, '{\n    app   = "x"\n    "a/b" = 1\n  }'),
        ([{"a": 1}], "[\n    {\n      a = 1\n    },\n  ]"),
        (Code("var.x"), "var.x"),
    ],
)
def test_a_value_is_written_as_hcl(value: Plain, written: str) -> None:
    after = edited("a {\n  b = 1\n}\n", lambda w, f: w.replace(body_at(f, "a").attributes["b"].expression, value))
    assert after == f"a {{\n  b = {written}\n}}\n"


def test_a_heredoc_begins_as_the_others_of_the_file_do() -> None:
    text = "a = <<EOF\n  x\nEOF\nb = 1\n"
    after = edited(text, lambda w, f: w.replace(f.body.attributes["b"].expression, "one\ntwo\n"))
    assert after == text.replace("b = 1", "b = <<EOF\none\ntwo\nEOF")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(CannotWrite, match="half of a character"):
        edited("a = 1\n", lambda w, f: w.replace(f.body.attributes["a"].expression, "\ud800"))


# Lists and objects


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]", '["x"]'),
        ("[1, 2]", '[1, 2, "x"]'),
        ("[\n  1,\n  2, # two\n]", '[\n  1,\n  2, # two\n  "x",\n]'),
        ("[\n  1,\n  2 # two\n]", '[\n  1,\n  2, # two\n  "x"\n]'),
        ("[1,\n  2]", '[1,\n  2,\n  "x"]'),
        ("[\n  <<-EOT\n    a\n  EOT\n]", '[\n  <<-EOT\n    a\n  EOT\n  ,\n  "x"\n]'),
        ('["a", <<-EOT\n  b\nEOT\n]', '["a", <<-EOT\n  b\nEOT\n  ,\n  "x"\n]'),
        ("[\n  # none yet\n]", '[\n  # none yet\n  "x",\n]'),
    ],
)
def test_an_item_goes_behind_the_last(before: str, after: str) -> None:
    def append(writer: Writer, file: File) -> Changes:
        node = file.body.attributes["a"].expression
        assert isinstance(node, ListOf)
        return writer.append_items(node, ["x"])

    assert edited(f"a = {before}\n", append) == f"a = {after}\n"


def test_an_object_behind_another_in_a_list_stands_as_the_formatter_has_it() -> None:
    def append(writer: Writer, file: File) -> Changes:
        node = file.body.attributes["a"].expression
        assert isinstance(node, ListOf)
        return writer.append_items(node, [{"c": 2}])

    assert edited("a = [{\n  b = 1\n}]\n", append) == "a = [{\n  b = 1\n  }, {\n  c = 2\n}]\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", "{\n  k = 1\n}"),
        ("{ a = 1 }", "{ a = 1, k = 1 }"),
        ("{\n  abc = 1\n}", "{\n  abc = 1\n  k   = 1\n}"),
        ('{\n  "abc" : 1,\n  "d" : 2,\n}', '{\n  "abc" : 1,\n  "d" : 2,\n  "k": 1,\n}'),
        ("{\n  a = 1,\n  b = 2\n}", "{\n  a = 1,\n  b = 2,\n  k = 1\n}"),
        ("{\n  a = 1 # one\n\n  # the end\n}", "{\n  a = 1 # one\n  k = 1\n\n  # the end\n}"),
    ],
)
def test_an_entry_goes_behind_the_last(before: str, after: str) -> None:
    def put(writer: Writer, file: File) -> Changes:
        node = file.body.attributes["a"].expression
        assert isinstance(node, ObjectOf)
        return writer.put_entries(node, {"k": 1})

    assert edited(f"a = {before}\n", put) == f"a = {after}\n"


@pytest.mark.parametrize(
    ("before", "index", "after"),
    [
        ("[1, 2, 3]", 1, "[1, 3]"),
        ("[1, 2, 3]", 2, "[1, 2]"),
        ("[1]", 0, "[]"),
        ("[\n  1,\n  # of two\n  2, # two\n  3,\n]", 1, "[\n  1,\n  3,\n]"),
        ("[\n  1,\n  2\n]", 1, "[\n  1\n]"),
    ],
)
def test_an_item_goes_with_its_comma_and_comment(before: str, index: int, after: str) -> None:
    def remove(writer: Writer, file: File) -> Changes:
        node = file.body.attributes["a"].expression
        assert isinstance(node, ListOf)
        return writer.remove_item(node, index)

    assert edited(f"a = {before}\n", remove) == f"a = {after}\n"


# Taking away


def test_a_block_goes_with_its_comment_and_one_blank_line() -> None:
    text = "a {\n  x = 1\n\n  # about b\n  b {\n    y = 1\n  }\n\n  c {\n  }\n}\n"
    after = edited(text, lambda w, f: w.remove(body_at(f, "a").blocks[0], body_at(f, "a")))
    assert after == "a {\n  x = 1\n\n  c {\n  }\n}\n"


def test_a_comment_above_several_arguments_stays() -> None:
    text = "a {\n  # all of them\n  x = 1\n  yy = 2\n}\n"
    after = edited(text, lambda w, f: w.remove(body_at(f, "a").attributes["x"], body_at(f, "a")))
    assert after == "a {\n  # all of them\n  yy = 2\n}\n"


# Files that are not as usual


def test_line_ends_byte_order_mark_and_missing_line_end_stay() -> None:
    text = '\ufeffa {\r\n  b = "ü"\r\n}'
    after = edited(text, lambda w, f: w.insert_attribute(body_at(f, "a"), "long", 1))
    assert after == '\ufeffa {\r\n  b    = "ü"\r\n  long = 1\r\n}'


def test_a_file_that_cannot_be_read_whole_is_refused() -> None:
    with pytest.raises(CannotWrite, match="cannot be read from line 2 on"):
        Writer(parse_file(Source("main.tf", b"a = 1\nb = = 2\n")))


# Whatever the file and the edit


WORDS = st.sampled_from(["a", "bb", "name", "image", "long_argument", "x-y"])
TEXTS = st.sampled_from(["", "v", "a b", 'quo"te', "${x}", "%{if}", "line\nline\n", "ümlaut", "back\\slash", "#no"])
SCALARS = TEXTS | st.integers(0, 999) | st.booleans() | st.none()
KEYS = st.sampled_from(["k", "key", "app.kubernetes.io/name", "long_key"])
VALUES: st.SearchStrategy[Plain] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


@dataclass(frozen=True)
class Look:
    """How a generated file is laid out."""

    unit: str
    aligned: bool
    blank: bool
    newline: str
    mark: bool
    last: bool


LOOKS = st.builds(
    Look,
    unit=st.sampled_from(["  ", "    ", "\t"]),
    aligned=st.booleans(),
    blank=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
    last=st.booleans(),
)
FORMATTED = Look("  ", aligned=True, blank=True, newline="\n", mark=False, last=True)


@st.composite
def files(draw: st.DrawFn, looks: st.SearchStrategy[Look] = LOOKS) -> tuple[str, Look]:
    """A file with comments, blank lines, blocks on one line, and lists and objects in every layout."""
    look = draw(looks)
    lines: list[str] = []

    def value(indent: str, depth: int) -> str:
        kind = draw(st.sampled_from(["text", "number", "code", "list", "lines", "object", "inline", "heredoc"]))
        inner = indent + look.unit
        if kind == "text" or depth > 2:
            return '"' + draw(st.sampled_from(["v", "a b", "${var.x}-1", "\\n", "#"])) + '"'
        if kind == "number":
            return str(draw(st.integers(0, 9999)))
        if kind == "code":
            return draw(st.sampled_from(["var.x", "local.y[0].z", "f(a, b)", "c ? 1 : 2"]))
        if kind == "list":
            return "[" + ", ".join(value(inner, 9) for _ in range(draw(st.integers(0, 3)))) + "]"
        if kind == "lines":
            items = [value(inner, 9) for _ in range(draw(st.integers(1, 3)))]
            comma = draw(st.sampled_from([",", "", " # last"]))
            return "[\n" + ",\n".join(inner + item for item in items) + f"{comma}\n{indent}]"
        if kind == "inline":
            return "{ " + ", ".join(f"k{index} = {value(inner, 9)}" for index in range(draw(st.integers(1, 2)))) + " }"
        if kind == "object":
            items = [f"{inner}key{'x' * index} = {value(inner, depth + 1)}" for index in range(draw(st.integers(1, 3)))]
            return "{\n" + "\n".join(items) + f"\n{indent}}}"
        return f"<<-EOT\n{inner}one = 1\n{inner}two # 2\n{indent}EOT"

    def body(indent: str, depth: int) -> None:
        for name in draw(st.lists(WORDS, unique=True, max_size=4)):
            if draw(st.integers(0, 4)) == 0:
                lines.append(f"{indent}# about {name}")
            text = value(indent, 0)
            comment = draw(st.sampled_from(["", "", " # said"])) if "<<" not in text else ""
            lines.extend(f"{indent}{name} = {text}{comment}".split("\n"))
            if draw(st.integers(0, 5)) == 0:
                lines.append("")
        for _ in range(draw(st.integers(0, 2 if depth < 3 else 0))):
            if look.blank and lines and lines[-1] and not lines[-1].endswith("{"):
                lines.append("")
            kind = draw(st.sampled_from(["port", "env", "spec"]))
            form = draw(st.sampled_from(["block", "block", "block", "empty", "one"]))
            if form == "empty":
                lines.append(f"{indent}{kind} {{}}")
            elif form == "one":
                lines.append(f"{indent}{kind} {{ only = {draw(st.integers(0, 9))} }}")
            else:
                lines.append(f"{indent}{kind} {{" + draw(st.sampled_from(["", "", " # opens"])))
                body(indent + look.unit, depth + 1)
                lines.append(f"{indent}}}")

    body("", 0)
    text = "\n".join(lines) + ("\n" if look.last and lines else "")
    return text, look


def dressed(text: str, look: Look) -> bytes:
    return (("\ufeff" if look.mark else "") + text.replace("\n", look.newline)).encode()


Edit: TypeAlias = "Callable[[Writer], Changes]"


def differences(before: Data, after: Data) -> list[Data]:
    """What is new or other in the data after an edit; ``None`` for what is gone."""
    if before == after and type(before) is type(after):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in before if key in after]
        made = [difference for key in keys for difference in differences(before[key], after[key])]
        gone: list[Data] = [None for key in before if key not in after]
        return made + gone + [after[key] for key in after if key not in before]
    if isinstance(before, list) and isinstance(after, list):
        if len(before) == len(after):
            pairs = zip(before, after, strict=True)
            return [difference for old, new in pairs for difference in differences(old, new)]
        for index in range(max(len(before), len(after))):
            if before[:index] + before[index + 1 :] == after:
                return [None]
            if after[:index] + after[index + 1 :] == before:
                return [after[index]]
    return [after]


def bodies(body: Body) -> Iterable[Body]:
    yield body
    for block in body.blocks:
        yield from bodies(block.body)


def expressions(body: Body) -> Iterable[Expression]:
    def inside(node: Expression) -> Iterable[Expression]:
        yield node
        if isinstance(node, ListOf):
            for item in node.items:
                yield from inside(item)
        if isinstance(node, ObjectOf):
            for _, item in node.items:
                yield from inside(item)

    for each in bodies(body):
        for attribute in each.attributes.values():
            yield from inside(attribute.expression)


@st.composite
def edits(draw: st.DrawFn, file: File) -> tuple[str, Edit, Plain]:
    """An edit of a file, the word for what it does, and what is then new."""
    places = list(bodies(file.body))
    nodes = list(expressions(file.body))
    kind = draw(st.sampled_from(["argument", "block", "replace", "item", "entry", "remove", "take"]))
    place = draw(st.sampled_from(places))
    if kind == "argument":
        value = draw(VALUES)
        return "insert", lambda w: w.insert_attribute(place, "brand_new", value), value
    if kind == "block":
        name, value = draw(st.sampled_from(["port", "fresh"])), draw(VALUES)
        block = NewBlock(name, (NewAttribute("n", value), NewBlock("inner")))
        inner: Plain = ["inner", [], {"arguments": {}, "blocks": []}]
        new: Plain = [name, [], {"arguments": {"n": value}, "blocks": [inner]}]
        return "insert", lambda w: w.insert_block(place, block, behind=(("env",), ())), new
    if kind == "replace" and nodes:
        node, value = draw(st.sampled_from(nodes)), draw(VALUES)
        return "replace", lambda w: w.replace(node, value), value
    lists = [node for node in nodes if isinstance(node, ListOf)]
    if kind == "item" and lists:
        target, value = draw(st.sampled_from(lists)), draw(VALUES)
        return "insert", lambda w: w.append_items(target, [value]), value
    objects = [node for node in nodes if isinstance(node, ObjectOf)]
    if kind == "entry" and objects:
        holder, value = draw(st.sampled_from(objects)), draw(VALUES)
        return "insert", lambda w: w.put_entries(holder, {"brand_new": value}), value
    full: list[ListOf | ObjectOf] = [*(node for node in lists if node.items), *(node for node in objects if node.items)]
    if kind == "take" and full:
        taken = draw(st.sampled_from(full))
        index = draw(st.integers(0, len(taken.items) - 1))
        if isinstance(taken, ListOf):
            return "remove", lambda w: w.remove_item(taken, index), None
        return "remove", lambda w: w.remove_entry(taken, index), None
    items = [*place.attributes.values(), *place.blocks]
    if kind == "remove" and items:
        item = draw(st.sampled_from(items))
        return "remove", lambda w: w.remove(item, place), None
    return "insert", lambda w: w.insert_attribute(place, "brand_new", 1), 1


def squeezed(text: str) -> str:
    return "".join(text.replace(",", " ").split())


def check(content: bytes, kind: str, edit: Edit, look: Look) -> bytes:
    """Make the edit and check what holds for every one."""
    file = read(content)
    after = replaced(content, Writer(file).replacements(edit(Writer(file))))
    again = read(after)
    if b"\r\n" in content:
        assert after.count(b"\n") == after.count(b"\r\n")
    else:
        assert b"\r\n" not in after
    assert after.startswith(b"\xef\xbb\xbf") == look.mark
    if kind == "insert":
        assert comments(again) == comments(file)
        # but for white space and a comma, what was there is there, and what is new is in one place
        old, new = squeezed(content.decode()), squeezed(after.decode())
        start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old))
        assert new.endswith(old[start:])
    return after


@settings(max_examples=200)
@given(st.data())
def test_an_edit_changes_what_it_says_and_nothing_else(data: st.DataObject) -> None:
    text, look = data.draw(files())
    content = dressed(text, look)
    file = read(content)
    kind, edit, new = data.draw(edits(file))
    try:
        after = check(content, kind, edit, look)
    except CannotWrite:
        reject()
    found = differences(data_of(file.body), data_of(read(after).body))
    if kind == "replace" and not found:
        return
    assert kind == "replace" or len(found) == 1
    if kind == "replace":
        assert len(found) >= 1
    else:
        assert found == [new]


@needs_hashicorp
@settings(max_examples=100)
@given(st.data())
def test_a_formatted_file_stays_formatted_and_readable(data: st.DataObject) -> None:
    text = formatted(data.draw(files(st.just(FORMATTED)))[0])
    kind, edit, _ = data.draw(edits(read(text.encode())))
    try:
        after = check(text.encode(), kind, edit, FORMATTED).decode()
    except CannotWrite:
        reject()
    assert formatted(after) == after
    assert refusal(after) == ""


def test_a_heredoc_that_becomes_the_end_of_its_file_keeps_its_line_break() -> None:
    text = "a = <<-EOT\n  one\nEOT\n\nport {}"
    assert edited(text, lambda w, file: w.remove(file.body.blocks[0], file.body)) == "a = <<-EOT\n  one\nEOT\n"


@needs_hashicorp
@settings(max_examples=60)
@given(st.data())
def test_an_edited_file_of_any_look_is_readable(data: st.DataObject) -> None:
    text, look = data.draw(files())
    content = dressed(text, look)
    assume(refusal(content.decode()) == "")
    kind, edit, _ = data.draw(edits(read(content)))
    try:
        after = check(content, kind, edit, look).decode()
    except CannotWrite:
        reject()
    assert refusal(after) == ""
