"""Random estates of Terraform: modules in modules, every way to write a string, every way to hand it on.

Only valid code is made. Plain words are the leaves, each one different, so that a word replaced in a file shows
where it went. Keys of maps are ``k0``, ``k1`` ... and never part of a value unless ``keys`` hands them out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

FILES = dict[str, str]
KEYS = ("k0", "k1", "k2")
_SPICE = ("é", "日本", "\\n", '\\"', "\\\\", "$${", "%%{", "\\u00e9", " ", ": ", "$", "%", "#", "'", "-", "{}", "😀")
_HEREDOC_SPICE = ("é", "$${", "%%{", '"', " ", ": ", "$", "#", "\\n", "'")


@dataclass
class Module:
    """What a module's expressions may refer to, by what the reference gives."""

    path: str
    strings: list[str] = field(default_factory=list)
    lists: list[tuple[str, int]] = field(default_factory=list)
    """References to lists of strings, with their length."""
    maps: list[str] = field(default_factory=list)
    """References to maps of strings, with all of ``KEYS``."""
    flags: list[str] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)
    closed: bool = False
    """Whether this is a template file, which sees neither the module's path nor other templates."""


class Estate:
    """One random estate, as files."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.files: FILES = {}
        self.words = 0
        self.names = 0

    def build(self) -> FILES:
        leaf = self.module("modules/leaf", None)
        middle = self.module("modules/middle", leaf)
        self.module("stack", middle if self.random.random() < 0.7 else leaf)
        return self.files

    # Words

    def word(self) -> str:
        self.words += 1
        return f"w{self.words:03}" + self.random.choice(("", "x", "yz", "é", "ü7"))

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def pick(self, *choices: Callable[[], str]) -> str:
        return self.random.choice(choices)()

    # Strings

    def string(self, m: Module, depth: int) -> str:
        """An expression that gives a string."""
        if depth <= 0 or self.random.random() < 0.25:
            return self.pick(lambda: f'"{self.word()}"', lambda: self.reference(m), lambda: self.literal())

        def one() -> str:
            return self.string(m, depth - 1)

        def many() -> str:
            return self.list(m, depth - 1)[0]

        def mapped() -> str:
            return self.map(m, depth - 1)

        key = self.random.choice(KEYS)
        return self.pick(
            lambda: self.template(m, depth),
            lambda: self.template(m, depth),
            lambda: f"({self.heredoc(m, depth)}\n)",
            lambda: f'format("{self.word()}-%s-%s", {one()}, {one()})',
            lambda: f'join("{self.random.choice((", ", "", "-"))}", {many()})',
            lambda: f"{self.flag(m)} ? {one()} : {one()}",
            lambda: f'lookup({mapped()}, "{self.random.choice((key, "missing"))}", {one()})',
            lambda: f'{mapped()}["{key}"]',
            lambda: f"merge({mapped()}, {mapped()}).{key}",
            lambda: self.item(m, depth),
            lambda: f'coalesce("", {one()}, "{self.word()}")',
            lambda: f"try(local.nowhere.at_all, {one()})" if "local" in m.parts else one(),
            lambda: f"trimspace({one()})",
            lambda: f'split("/", "{self.word()}/{self.word()}")[{self.random.randrange(2)}]',
            lambda: f"indent({self.random.randrange(4)}, {one()})",
            lambda: f'replace({one()}, "w", {one()})',
            lambda: f'zipmap(["a", "b"], [{one()}, {one()}]).{self.random.choice("ab")}',
            lambda: one() if m.closed else self.file_call(m, depth),
            lambda: f"jsondecode(jsonencode({{ a = {one()} }})).a",
            lambda: f"yamldecode(yamlencode({{ a = [{one()}] }})).a[0]",
            lambda: f"jsonencode({{ a = {one()}, b = [{one()}, 1, true] }})",
            lambda: f"yamlencode({{ a = {one()}, b = {{ c = {one()} }} }})",
            lambda: f'"${{{one()}}}"',
            lambda: f"upper({one()})",
            lambda: f"{{ for k, v in {mapped()} : k => v }}.{key}",
            lambda: f"[for v in {many()} : v][0]",
            lambda: f'{{ for v in [{one()}] : "g" => v... }}.g[0]',
            lambda: f"values({mapped()})[{self.random.randrange(len(KEYS))}]",
            lambda: f"one([{one()}])",
            lambda: f"tostring({one()})",
        )

    def reference(self, m: Module) -> str:
        return self.random.choice(m.strings) if m.strings else f'"{self.word()}"'

    def literal(self) -> str:
        pieces = [
            self.random.choice((self.word(), self.random.choice(_SPICE))) for _ in range(self.random.randint(0, 4))
        ]
        return '"' + _joined(pieces) + '"'

    def template(self, m: Module, depth: int) -> str:
        return '"' + self.text(m, depth, _SPICE, newlines=False) + '"'

    def heredoc(self, m: Module, depth: int) -> str:
        indent = self.random.choice(("", "  ", "\t"))
        lines = [
            indent + self.random.choice(("", "  ")) + self.text(m, depth, _HEREDOC_SPICE, newlines=True)
            for _ in range(self.random.randint(1, 4))
        ]
        flush = self.random.choice(("<<", "<<-"))
        return f"{flush}EOT\n" + "\n".join(lines) + f"\n{indent}EOT"

    def text(self, m: Module, depth: int, spice: tuple[str, ...], *, newlines: bool) -> str:
        """Literal text with interpolations and directives in it."""
        pieces: list[str] = []
        for _ in range(self.random.randint(1, 4)):
            chance = self.random.random()
            left, right = self.random.choice(("", "", "~")), self.random.choice(("", "", "~"))
            if chance < 0.35:
                pieces.append(self.word())
            elif chance < 0.55:
                pieces.append(self.random.choice(spice))
            elif chance < 0.8:
                pieces.append(f"${{{left} {self.string(m, depth - 1)} {right}}}")
            elif chance < 0.9 and depth > 0:
                inner = self.text(m, depth - 2, spice, newlines=newlines)
                other = self.text(m, depth - 2, spice, newlines=newlines)
                branches = (f"%{{ if {self.flag(m)} {right}}}", inner, "%{ else }", other, f"%{{{left} endif }}")
                pieces.append(_joined(branches))
            elif depth > 0:
                name = self.name("v")
                inner = self.text(m, depth - 2, spice, newlines=newlines)
                items = self.list(m, depth - 2)[0]
                loop = (f"%{{ for {name} in {items} }}", inner, f"${{{name}}}", f"%{{ endfor {right}}}")
                pieces.append(_joined(loop))
            else:
                pieces.append(self.word())
        return _joined(pieces)

    def flag(self, m: Module) -> str:
        return self.random.choice([*m.flags, "true", "false", "1 < 2"])

    # Collections

    def list(self, m: Module, depth: int) -> tuple[str, int]:
        """An expression that gives a list of strings, and its length (at least 1)."""
        if depth <= 0 or self.random.random() < 0.3:
            if m.lists and self.random.random() < 0.6:
                return self.random.choice(m.lists)
            return f'["{self.word()}", "{self.word()}"]', 2
        inner, size = self.list(m, depth - 1)
        name = self.name("i")
        choices = [
            (f"[{self.string(m, depth - 1)}, {self.string(m, depth - 1)}]", 2),
            (f'[for {name} in {inner} : "${{{name}}}-{self.word()}"]', size),
            (f"concat({inner}, [{self.string(m, depth - 1)}])", size + 1),
            (f"reverse({inner})", size),
            (f"flatten([{inner}, [[{self.string(m, depth - 1)}]]])", size + 1),
            (f"values({self.map(m, depth - 1)})", len(KEYS)),
            (f"([for {name} in [{{ n = {self.string(m, depth - 1)} }}] : {name}][*].n)", 1),
            (f"keys({self.map(m, depth - 1)})", len(KEYS)),
            (f"sort({inner})", size),
        ]
        return self.random.choice(choices)

    def item(self, m: Module, depth: int) -> str:
        inner, size = self.list(m, depth - 1)
        position = self.random.randrange(size)
        return self.random.choice((f"{inner}[{position}]", f"element({inner}, {position})"))

    def map(self, m: Module, depth: int) -> str:
        """An expression that gives a map of strings with all of ``KEYS``."""
        if depth <= 0 or (m.maps and self.random.random() < 0.4):
            if m.maps:
                return self.random.choice(m.maps)
            return "{ " + ", ".join(f'{key} = "{self.word()}"' for key in KEYS) + " }"
        inner = self.map(m, depth - 1)
        name = self.name("e")
        return self.pick(
            lambda: "{\n" + "".join(f"    {key} = {self.string(m, depth - 1)}\n" for key in KEYS) + "  }",
            lambda: f"merge({inner}, {{ {KEYS[0]} = {self.string(m, depth - 1)} }})",
            lambda: f'{{ for k, {name} in {inner} : k => "${{{name}}}{self.word()}" }}',
            lambda: f"merge([{inner}, {{ {KEYS[1]} = {self.string(m, depth - 1)} }}]...)",
            lambda: f"tomap({inner})",
        )

    # Files

    def file_call(self, m: Module, depth: int) -> str:
        path = self.name("f")
        chance = self.random.random()
        if chance < 0.4:
            inside = Module(
                m.path, strings=["name", "other", "table.k1"], lists=[("items", 2)], maps=["table"], closed=True
            )
            lines = [self.text(inside, 2, _HEREDOC_SPICE, newlines=True) for _ in range(self.random.randint(1, 3))]
            self.files[f"{m.path}/{path}.tftpl"] = "\n".join(lines) + "\n"
            variables = f"name = {self.string(m, depth - 1)}, other = {self.string(m, depth - 1)}"
            table = self.map(m, depth - 2)
            items = f'["{self.word()}", {self.string(m, depth - 2)}]'
            return f'templatefile("${{path.module}}/{path}.tftpl", {{ {variables}, table = {table}, items = {items} }})'
        if chance < 0.6:
            self.files[f"{m.path}/{path}.txt"] = f"{self.word()}\n{self.word()}\n"
            return f'file("${{path.module}}/{path}.txt")'
        if chance < 0.8:
            content = (
                f"a: {self.word()}\nb:\n- '{self.word()}'\n- \"{self.word()}\\t{self.word()}\"\nc: |\n  {self.word()}\n"
            )
            self.files[f"{m.path}/{path}.yaml"] = content
            route = self.random.choice((".a", ".b[0]", ".b[1]", ".c"))
            return f'yamldecode(file("${{path.module}}/{path}.yaml")){route}'
        self.files[f"{m.path}/{path}.json"] = json.dumps({"a": self.word(), "b": [self.word()]}, ensure_ascii=False)
        return f'jsondecode(file("${{path.module}}/{path}.json")){self.random.choice((".a", ".b[0]"))}'

    # Modules

    def module(self, path: str, called: Module | None) -> Module:
        """Write a module that calls another one; gives what its callers must know."""
        m = Module(path)
        root = called is not None and path == "stack"
        variables, values = self._variables(m, root=root)
        self.files[f"{path}/variables.tf"] = variables
        if values:
            self.files[f"{path}/terraform.tfvars"] = values
        body: list[str] = []
        m.parts["local"] = []
        for number in range(self.random.randint(1, 5)):
            self._local(m, number)
        if called is not None:
            for _ in range(self.random.randint(1, 2)):
                body.append(self._call(m, called))
        body += [self._resource(m) for _ in range(self.random.randint(1, 3))]
        split = self.random.randint(0, len(m.parts["local"]))
        for file, some in (("main", m.parts["local"][:split]), ("more", m.parts["local"][split:])):
            text = "locals {\n" + "".join(some) + "}\n" if some else ""
            self.files[f"{path}/{file}.tf"] = text + ("\n".join(body) if file == "main" else "")
        outputs = [
            f'output "s" {{\n  value = {self.string(m, 2)}\n}}\n',
            f'output "m" {{\n  value = {self.map(m, 2)}\n}}\n',
        ]
        self.files[f"{path}/outputs.tf"] = "".join(outputs)
        return m

    def _variables(self, m: Module, *, root: bool) -> tuple[str, str]:
        table = ", ".join(f'{key} = "{self.word()}"' for key in KEYS)
        given = f'text = "{self.word()}"\ntable = {{ {table} }}\n' if root else ""
        m.strings += ["var.text", "var.plain", "var.shape.name", "var.shape.tag", "var.number"]
        m.maps.append("var.table")
        m.lists += [("var.items", 2), ("tolist(var.names)", 2)]
        m.flags.append("var.flag")
        default = f'  default = "{self.word()}"\n' if not root else ""
        text = f"""variable "text" {{
  type = string
{default}}}
variable "plain" {{
  default = {self.literal()}
}}
variable "number" {{
  type    = string
  default = {self.random.randint(10, 99)}
}}
variable "flag" {{
  type    = bool
  default = {self.random.choice(("true", "false"))}
}}
variable "table" {{
  type    = map(string)
  default = {{ {table} }}
}}
variable "items" {{
  type    = list(string)
  default = ["{self.word()}", "{self.word()}"]
}}
variable "names" {{
  type    = set(string)
  default = ["{self.word()}", "a{self.word()}"]
}}
variable "shape" {{
  type = object({{
    name = string
    tag  = optional(string, "{self.word()}")
  }})
  default = {{ name = "{self.word()}" }}
}}
"""
        return text, given

    def _local(self, m: Module, number: int) -> None:
        chance = self.random.random()
        if chance < 0.5:
            value = self.string(m, 3) if self.random.random() < 0.8 else self.heredoc(m, 2)
            m.strings.append(f"local.l{number}")
        elif chance < 0.75:
            value, size = self.list(m, 2)
            m.lists.append((f"local.l{number}", size))
        else:
            value = self.map(m, 2)
            m.maps.append(f"local.l{number}")
        m.parts["local"].append(f"  l{number} = {value}\n")

    def _call(self, m: Module, called: Module) -> str:
        name = self.name("m")
        up = "../" * (m.path.count("/") + 1)
        each = Module(m.path, m.strings[:], m.lists[:], m.maps[:], m.flags[:], m.parts)
        chance = self.random.random()
        if chance < 0.3:
            head = f'  for_each = toset(["{self.word()}", "{self.word()}"])\n'
            each.strings += ["each.key", "each.value"]
            ways = [f"values(module.{name})[1].%s", f"values(module.{name})[*].%s"]
        elif chance < 0.5:
            items = ", ".join(f"{key} = {{ image = {self.string(m, 1)} }}" for key in KEYS[:2])
            head = f"  for_each = {{ {items} }}\n"
            each.strings += ["each.value.image", "each.key"]
            ways = [f'module.{name}["{KEYS[0]}"].%s']
        elif chance < 0.7:
            head = "  count = 2\n"
            each.strings += ["count.index"]
            ways = [f"module.{name}[1].%s", f"module.{name}[*].%s", f"module.{name}.0.%s"]
        else:
            head = ""
            ways = [f"module.{name}.%s"]
        arguments = [f"  text = {self.string(each, 2)}\n"]
        if self.random.random() < 0.5:
            arguments.append(f"  table = {self.map(each, 2)}\n")
        if self.random.random() < 0.5:
            arguments.append(f"  shape = {{ name = {self.string(each, 1)} }}\n")
        if self.random.random() < 0.3:
            arguments.append(f"  shape = {{ name = {self.string(each, 1)}, tag = {self.string(each, 1)} }}\n")
            arguments = [a for a in arguments if not a.startswith("  shape")] + arguments[-1:]
        if self.random.random() < 0.5:
            arguments.append(f"  items = [{self.string(each, 1)}, {self.string(each, 1)}]\n")
        if self.random.random() < 0.5:
            arguments.append(f'  names = ["{self.word()}", "0{self.word()}"]\n')
        for way in ways:
            if "[*]" in way:
                m.lists.append((f"({way % 's'})", 2))
            else:
                m.strings.append(way % "s")
                m.maps.append(way % "m")
        return f'module "{name}" {{\n  source = "{up}{called.path}"\n{head}{"".join(arguments)}}}\n'

    # Resources

    def _resource(self, m: Module) -> str:
        name = self.name("r")
        chance = self.random.random()
        inside = Module(m.path, m.strings[:], m.lists[:], m.maps[:], m.flags[:], m.parts)
        head = ""
        way = f"kubernetes_config_map.{name}"
        if chance < 0.2:
            head = f"  for_each = {self.map(m, 1)}\n"
            inside.strings += ["each.value", "each.key"]
            way += f'["{KEYS[2]}"]'
        elif chance < 0.4:
            head = "  count = 2\n"
            inside.strings.append("count.index")
            way += "[0]"
        if chance < 0.75:
            labels = f"    labels = {self.map(inside, 2)}\n" if chance > 0.5 else ""
            heredoc = f"    script = {self.heredoc(inside, 2)}\n" if chance > 0.3 else ""
            made = (
                f'resource "kubernetes_config_map" "{name}" {{\n{head}  metadata {{\n'
                f"    name = {self.string(inside, 1)}\n{labels}  }}\n"
                f"  data = {{\n    a = {self.string(inside, 3)}\n{heredoc}"
                f'    "b.c" = {self.string(inside, 3)}\n  }}\n}}\n'
            )
            m.strings += [f"{way}.metadata[0].name", f'{way}.data["a"]']
            return made
        if chance < 0.85:
            lines = [f"{key}: ${{jsonencode({self.string(inside, 1)})}}" for key in KEYS]
            body = "\n".join(f"      {line}" for line in lines)
            return (
                f'resource "kubectl_manifest" "{name}" {{\n  yaml_body = <<-EOT\n'
                f"    apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: {self.word()}\n"
                f"    data:\n{body}\n  EOT\n}}\n"
            )
        items, _ = self.list(m, 2)
        iterator = self.random.choice(("env", "item"))
        named = f"          iterator = {iterator}\n" if iterator != "env" else ""
        value = Module(
            m.path, [*m.strings, f"{iterator}.value", f"{iterator}.value"], m.lists, m.maps, m.flags, m.parts
        )
        return f"""resource "kubernetes_deployment" "{name}" {{
  metadata {{
    name = "{self.word()}"
  }}
  spec {{
    template {{
      metadata {{
        labels = {self.map(m, 1)}
      }}
      spec {{
        container {{
          name  = "{self.word()}"
          image = "${{{self.string(m, 1)}}}:{self.word()}"
          args  = {self.list(m, 2)[0]}
          dynamic "env" {{
          for_each = {items}
{named}          content {{
            name  = "{self.word()}"
            value = {self.string(value, 2)}
          }}
          }}
        }}
      }}
    }}
  }}
}}
"""


def _joined(pieces: Sequence[str]) -> str:
    """The pieces side by side; what would become an escape or an interpolation by chance is kept apart."""
    text = ""
    for piece in pieces:
        apart = text.endswith(("$", "%")) and piece.startswith(("$", "%", "{"))
        text += f"_{piece}" if apart else piece
    return text
