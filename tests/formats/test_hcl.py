"""HCL's native syntax: what each construct means, and where it stands in the file."""

from __future__ import annotations

import pytest

from shoreup.formats.hcl import Source, parse_expression, parse_file, parse_template
from shoreup.formats.hcl.source import SyntaxProblem
from shoreup.formats.hcl.syntax import (
    Attr,
    Binary,
    Body,
    Call,
    Conditional,
    Expression,
    ForDirective,
    ForOf,
    IfDirective,
    Index,
    Interpolation,
    ListOf,
    Literal,
    Name,
    ObjectOf,
    Paren,
    Splat,
    SplatItem,
    Template,
    Text,
    Unary,
)


def body(text: str) -> Body:
    """The body of a file without problems."""
    file = parse_file(Source("main.tf", text.encode()))
    assert file.problems == []
    return file.body


def value(text: str) -> Expression:
    """The expression of a file's one argument."""
    return body(f"a = {text}\n").attributes["a"].expression


def shape(node: Expression) -> object:
    """An expression as nested tuples, for comparing."""
    match node:
        case Literal():
            return node.value
        case Template():
            return node.constant if node.constant is not None else ("template", *map(part, node.parts))
        case Name():
            return f"<{node.name}>"
        case Attr():
            return (shape(node.base), "." + node.name)
        case Index():
            return (shape(node.base), [shape(node.key)])
        case Splat():
            return ("splat", shape(node.base), shape(node.each))
        case SplatItem():
            return "each"
        case Call():
            return (node.name, *map(shape, node.arguments), *(["..."] if node.expands else []))
        case Unary():
            return (node.operator, shape(node.operand))
        case Binary():
            return (shape(node.left), node.operator, shape(node.right))
        case Conditional():
            return (shape(node.condition), "?", shape(node.then), ":", shape(node.otherwise))
        case Paren():
            return ("()", shape(node.inner))
        case ListOf():
            return [shape(item) for item in node.items]
        case ObjectOf():
            return [(shape(key), shape(item)) for key, item in node.items]
        case ForOf():
            key = None if node.result_key is None else shape(node.result_key)
            condition = None if node.condition is None else shape(node.condition)
            names = (node.key_name, node.item_name)
            return ("for", names, shape(node.collection), key, shape(node.result), condition, node.grouped)


def part(one: object) -> object:
    match one:
        case Text():
            return one.value
        case Interpolation():
            return shape(one.expression)
        case IfDirective():
            return ("if", shape(one.condition), list(map(part, one.then)), list(map(part, one.otherwise)))
        case ForDirective():
            return ("for", one.key, one.item, shape(one.collection), list(map(part, one.body)))
    raise AssertionError(one)


def parts(text: str) -> list[object]:
    """The parts of a string."""
    node = value(text)
    assert isinstance(node, Template)
    return [part(one) for one in node.parts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ("-1", ("-", 1)),
        ("!a", ("!", "<a>")),
        ("!a == b", (("!", "<a>"), "==", "<b>")),
        ("a.b-c", ("<a>", ".b-c")),
        ("a-b - c", ("<a-b>", "-", "<c>")),
        ("1 + 2 * 3", (1, "+", (2, "*", 3))),
        ("1 - 2 - 3", ((1, "-", 2), "-", 3)),
        ("a && b || c && d", (("<a>", "&&", "<b>"), "||", ("<c>", "&&", "<d>"))),
        ("a == b && c < d + 1", (("<a>", "==", "<b>"), "&&", ("<c>", "<", ("<d>", "+", 1)))),
        ("a ? b : c ? d : e", ("<a>", "?", "<b>", ":", ("<c>", "?", "<d>", ":", "<e>"))),
        ("a ? b ? 1 : 2 : 3", ("<a>", "?", ("<b>", "?", 1, ":", 2), ":", 3)),
        ("a[0].b", (("<a>", [0]), ".b")),
        ('a["k"]["l"]', (("<a>", ["k"]), ["l"])),
        ("a.0.b", (("<a>", [0]), ".b")),
        ("a.0.1", (("<a>", [0]), [1])),
        ("a[*].b.c", ("splat", "<a>", (("each", ".b"), ".c"))),
        ("a[*].b[0]", ("splat", "<a>", (("each", ".b"), [0]))),
        ("a.*.b[0]", (("splat", "<a>", ("each", ".b")), [0])),
        ("a.*.b.0", ("splat", "<a>", (("each", ".b"), [0]))),
        ("a[*]", ("splat", "<a>", "each")),
        ("f()", ("f",)),
        ("f(a, [1]...)", ("f", "<a>", [1], "...")),
        ("f(\n  a,\n\n  b,\n)", ("f", "<a>", "<b>")),
        ("provider::time::now()", ("provider::time::now",)),
        ("(a)", ("()", "<a>")),
        ("(\n  a\n  ||\n  b\n)", ("()", ("<a>", "||", "<b>"))),
        ("[]", []),
        ("[1, 2,]", [1, 2]),
        ("[\n  1, # one\n  2\n]", [1, 2]),
        ("{}", []),
        ('{ a = 1, "b" : 2 }', [("a", 1), ("b", 2)]),
        ("{\n  a = 1\n\n  b = 2\n}", [("a", 1), ("b", 2)]),
        ('{ (a) = 1, "${b}c" = 2 }', [(("()", "<a>"), 1), (("template", "<b>", "c"), 2)]),
        ("{ true = 1, 5 = 2, for = 3, if = 4 }", [("true", 1), ("5", 2), ("for", 3), ("if", 4)]),
        ("{ a = { b = [\n1,\n2] } }", [("a", [("b", [1, 2])])]),
        ("[for x in y : x.z]", ("for", ("", "x"), "<y>", None, ("<x>", ".z"), None, False)),
        ("[\n  for i, x in y : x\n  if i > 0\n]", ("for", ("i", "x"), "<y>", None, "<x>", ("<i>", ">", 0), False)),
        ("{for k, v in m : k => v...}", ("for", ("k", "v"), "<m>", "<k>", "<v>", None, True)),
        (
            "{\n  for k in m : k => {\n    a = k\n  } if k != null\n}",
            ("for", ("", "k"), "<m>", "<k>", [("a", "<k>")], ("<k>", "!=", None), False),
        ),
        ("größe", "<größe>"),
        ("日本.語", ("<日本>", ".語")),
    ],
)
def test_the_shape_of_an_expression(text: str, expected: object) -> None:
    assert shape(value(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"a\nb\t\"\\"', ['a\nb\t"\\']),
        (r'"\u00e9\U0001F600"', ["é😀"]),
        ('"$${a} %%{b} $a %b"', ["${a} %{b} $a %b"]),
        ('"a${b}c"', ["a", "<b>", "c"]),
        ('"${a}${b}"', ["<a>", "<b>"]),
        ('"${"x${"y"}"}"', [("template", "x", "y")]),
        ('"${ {a = "}"}.a }"', [([("a", "}")], ".a")]),
        ('"a ${~ b ~} c"', ["a", "<b>", "c"]),
        ('"a %{~ if b ~} c %{~ else ~} d %{~ endif ~} e"', ["a", ("if", "<b>", ["c"], ["d"]), "e"]),
        ('"%{ for k, v in m }${k}%{ endfor }"', [("for", "k", "v", "<m>", ["<k>"])]),
        ('"%{ if a }%{ if b }1%{ endif }%{ else }2%{ endif }"', [("if", "<a>", [("if", "<b>", ["1"], [])], ["2"])]),
    ],
)
def test_the_parts_of_a_template(text: str, expected: list[object]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<<EOT\na\n  b\nEOT", "a\n  b\n"),
        ("<<-EOT\n    a\n      b\n\n    EOT", "a\n  b\n\n"),
        ("<<-EOT\n\ta\n\t\tb\n  EOT", "a\n\tb\n"),
        ("<<-EOT\n  a\n b\nEOT", " a\nb\n"),
        ("<<EOT\nEOT", ""),
        ('<<EOT\n\\n "x" $${y} %%{z}\nEOT', '\\n "x" ${y} %{z}\n'),
        ("<<EOT\nEOTS\n EOT x\n  EOT", "EOTS\n EOT x\n"),
        ("<<end-1\na\nend-1", "a\n"),
    ],
)
def test_heredocs_without_interpolation(text: str, expected: str) -> None:
    node = value(text)
    assert isinstance(node, Template)
    assert node.constant == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<<-EOT\n    ${a}\n      b\n    EOT", ["<a>", "\n", "  b\n"]),
        ("<<-EOT\n    a ${~ b ~}\n    c\n  EOT", ["a", "<b>", "    c\n"]),
        ("<<EOT\n%{ if a ~}\nx\n%{ endif ~}\nEOT", [("if", "<a>", ["x\n"], [])]),
        ('<<EOT\n${join("", [<<EOT\nx\nEOT\n])}\nEOT', [("join", "", ["x\n"]), "\n"]),
    ],
)
def test_heredocs_with_interpolation(text: str, expected: list[object]) -> None:
    assert parts(text) == expected


def test_blocks_labels_and_comments() -> None:
    file = parse_file(
        Source(
            "main.tf",
            b'# one\nresource "a" b { // two\n  x = 1 /* three\n  */\n  inner {\n    y = 2\n  }\n  inner {}\n}\nc {}\n',
        )
    )
    outer, last = file.body.blocks
    assert (outer.kind, outer.labels) == ("resource", ["a", "b"])
    assert [inner.kind for inner in outer.body.blocks] == ["inner", "inner"]
    assert list(outer.body.attributes) == ["x"]
    assert last.kind == "c"
    text = file.source.text
    assert [text[c.start : c.end] for c in file.comments] == ["# one", "// two", "/* three\n  */"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_change_no_meaning(ends: str, mark: str) -> None:
    text = mark + ends.join(
        ['a = "x"', "b {", "  c = [", "    1,", "    2", "  ]", "  d = <<-EOT", "    y", "    EOT", "}"]
    )
    found = body(text + ends)
    assert shape(found.attributes["a"].expression) == "x"
    inner = found.blocks[0].body.attributes
    assert shape(inner["c"].expression) == [1, 2]
    assert shape(inner["d"].expression) == f"y{ends}"


def test_spans_are_bytes_also_after_a_mark_and_letters_of_several_bytes() -> None:
    content = '\ufeffé = "ü${日本}x"\n'.encode()
    source = Source("main.tf", content)
    attribute = parse_file(source).body.attributes["é"]
    template = attribute.expression
    assert isinstance(template, Template)
    spans = [source.span(one.start, one.end) for one in (attribute, template, *template.parts)]
    cut = [content[span.start : span.end].decode() for span in spans]
    assert cut == ['é = "ü${日本}x"', '"ü${日本}x"', "ü", "${日本}", "x"]


def test_spans_are_exact_far_into_a_long_text() -> None:
    text = "".join(f'é{i} = "日{i}"\n' for i in range(3000))
    source = Source("main.tf", text.encode())
    for number in (0, 1, 1500, 2999):
        attribute = parse_file(source).body.attributes[f"é{number}"]
        span = source.span(attribute.start, attribute.end)
        assert text.encode()[span.start : span.end].decode() == f'é{number} = "日{number}"'
        assert source.line(attribute.start) == number + 1


def test_every_node_stands_where_it_says() -> None:
    text = 'a ? f(b.c[0], "x") : [for d in e : -d][*].g'
    node = parse_expression(Source("x", text.encode()))
    assert isinstance(node, Conditional)

    def cut(one: Expression) -> str:
        return text[one.start : one.end]

    assert [cut(one) for one in (node, node.condition, node.then, node.otherwise)] == [
        text,
        "a",
        'f(b.c[0], "x")',
        "[for d in e : -d][*].g",
    ]
    assert isinstance(node.then, Call)
    assert [cut(one) for one in node.then.arguments] == ["b.c[0]", '"x"']


def test_a_template_file_has_no_backslashes_and_no_quotes_to_end_it() -> None:
    template = parse_template(Source("x.tftpl", b'a\\n"${b}"\n%{ for x in y ~}\n${x}\n%{ endfor ~}\n$'))
    assert [part(one) for one in template.parts] == [
        'a\\n"',
        "<b>",
        '"\n',
        ("for", "", "x", "<y>", ["<x>", "\n"]),
        "$",
    ]


@pytest.mark.parametrize(
    "text", ["a b", "(a", "a +", "f(a", "{ a }", "[a b]", "${", "a.1e5", "", "for", '"${a', "%{if a}"]
)
def test_what_is_no_expression_is_refused_in_one_way(text: str) -> None:
    if text == "for":
        assert isinstance(parse_expression(Source("x", text.encode())), Name)
        return
    with pytest.raises(SyntaxProblem):
        parse_expression(Source("x", text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${a",
        "%{ if a }",
        "%{ endif }",
        "%{ else }",
        "%{ for x y }%{ endfor }",
        "%{ nope }",
        "%{ if a }%{ endfor }",
        "${a b}",
    ],
)
def test_what_is_no_template_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse_template(Source("x", text.encode()))
