"""Reads Terraform schemas out of a provider's Go sources, without a Go compiler.

A provider says which fields a resource has by building nested maps: mostly literals, with a few loops,
conditions and helper functions. This is a small evaluator for exactly that part of Go. What it does not
know (a validation function, a constant of another package) becomes an :class:`Opaque`; a condition on
something opaque is an error, so that no field is lost in silence.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias

import tree_sitter_go
from tree_sitter import Language, Node, Parser

Go: TypeAlias = "Opaque | bool | int | float | str | list[Go] | dict[Go, Go] | None"
"""A Go value. Maps and structs are dicts, shared by reference as pointers are."""


@dataclass(frozen=True)
class Opaque:
    """Something outside of the sources, by the text that names it."""

    text: str


@dataclass
class _Return(Exception):
    values: list[Go]


@dataclass
class Package:
    """The functions and variables of one Go package, ready to be called."""

    functions: dict[str, tuple[Node, bytes]] = field(default_factory=dict)
    globals: dict[str, tuple[Node, bytes]] = field(default_factory=dict)

    @classmethod
    def read(cls, sources: dict[str, bytes]) -> Package:
        """Parse the package's files. ``sources`` maps file names to their bytes."""
        package = cls()
        parser = Parser(Language(tree_sitter_go.language()))
        for _name, source in sorted(sources.items()):
            for node in parser.parse(source).root_node.named_children:
                if node.type == "function_declaration":
                    package.functions[_text(_part(node, "name"), source)] = (node, source)
                elif node.type in ("var_declaration", "const_declaration"):
                    for spec in _descendants(node, ("var_spec", "const_spec")):
                        value = spec.child_by_field_name("value")
                        name = spec.child_by_field_name("name")
                        if value is not None and name is not None:
                            package.globals[_text(name, source)] = (value.named_children[0], source)
        return package

    def call(self, name: str, *arguments: Go) -> Go:
        """The (first) result of a function of the package."""
        function, source = self.functions[name]
        scope: dict[str, Go] = {}
        parameters = [
            _text(child, source)
            for declaration in _part(function, "parameters").named_children
            if declaration.type == "parameter_declaration"
            for child in declaration.children_by_field_name("name")
        ]
        for parameter, argument in zip(parameters, arguments, strict=True):
            scope[parameter] = argument
        try:
            _Frame(self, source, scope).block(_part(function, "body"))
        except _Return as result:
            return result.values[0] if result.values else None
        return None


@dataclass
class _Frame:
    package: Package
    source: bytes
    scope: dict[str, Go]

    def block(self, node: Node) -> None:
        for child in node.named_children:
            self.statement(child)

    def statement(self, node: Node) -> None:
        match node.type:
            case "statement_list" | "block":
                self.block(node)
            case "comment":
                pass
            case "return_statement":
                listed = node.named_children
                raise _Return([self.value(v) for v in listed[0].named_children] if listed else [])
            case "short_var_declaration" | "assignment_statement":
                targets = _part(node, "left").named_children
                values = _part(node, "right").named_children
                for target, value in zip(targets, values, strict=False):
                    self.assign(target, self.value(value))
            case "var_declaration":
                for spec in _descendants(node, ("var_spec",)):
                    given = spec.child_by_field_name("value")
                    initial = self.value(given.named_children[0]) if given is not None else None
                    self.scope[self.text(_part(spec, "name"))] = initial
            case "expression_statement":
                self.value(node.named_children[0])
            case "if_statement":
                self.branch(node)
            case "for_statement":
                self.loop(node)
            case _:
                raise ValueError(f"{node.type}: {self.text(node)[:80]}")

    def branch(self, node: Node) -> None:
        initial = node.child_by_field_name("initializer")
        if initial is not None:
            self.statement(initial)
        condition = self.value(_part(node, "condition"))
        if isinstance(condition, Opaque):
            raise ValueError(f"a condition on {condition.text}")
        chosen = node.child_by_field_name("consequence" if condition else "alternative")
        if chosen is not None:
            self.statement(chosen)

    def loop(self, node: Node) -> None:
        clause = next(child for child in node.named_children if child.type == "range_clause")
        names = [self.text(name) for name in _part(clause, "left").named_children]
        over = self.value(_part(clause, "right"))
        assert isinstance(over, (dict, list)), self.text(clause)
        pairs: list[tuple[Go, Go]] = list(over.items() if isinstance(over, dict) else enumerate(over))
        for pair in pairs:
            for name, value in zip(names, pair, strict=False):
                self.scope[name] = value
            self.block(_part(node, "body"))

    def assign(self, target: Node, value: Go) -> None:
        match target.type:
            case "identifier":
                self.scope[self.text(target)] = value
            case "index_expression":
                container = self.value(_part(target, "operand"))
                assert isinstance(container, dict), self.text(target)
                container[self.value(_part(target, "index"))] = value
            case "selector_expression":
                container = self.value(_part(target, "operand"))
                assert isinstance(container, dict), self.text(target)
                container[self.text(_part(target, "field"))] = value
            case _:
                raise ValueError(f"assignment to {self.text(target)}")

    def value(self, node: Node) -> Go:
        match node.type:
            case "interpreted_string_literal":
                return str(ast.literal_eval(self.text(node)))
            case "raw_string_literal":
                return self.text(node)[1:-1]
            case "int_literal":
                return int(self.text(node), 0)
            case "float_literal":
                return float(self.text(node))
            case "true" | "false":
                return node.type == "true"
            case "nil":
                return None
            case "identifier":
                return self.named(self.text(node))
            case "parenthesized_expression" | "literal_element":
                return self.value(node.named_children[0])
            case "unary_expression":
                return self.unary(node)
            case "binary_expression":
                return self.binary(node)
            case "composite_literal":
                return self.literal(_part(node, "body"))
            case "literal_value":
                return self.literal(node)
            case "type_assertion_expression":
                return self.value(_part(node, "operand"))
            case "index_expression":
                return self.index(node)
            case "selector_expression":
                container = self.value(_part(node, "operand"))
                name = self.text(_part(node, "field"))
                return container.get(name) if isinstance(container, dict) else Opaque(self.text(node))
            case "call_expression":
                return self.called(node)
            case "func_literal":
                return Opaque("func")
            case _:
                raise ValueError(f"{node.type}: {self.text(node)[:80]}")

    def named(self, name: str) -> Go:
        if name in self.scope:
            return self.scope[name]
        if name in self.package.globals:
            node, source = self.package.globals[name]
            return _Frame(self.package, source, {}).value(node)
        return Opaque(name)

    def unary(self, node: Node) -> Go:
        operand = self.value(_part(node, "operand"))
        operator = self.text(_part(node, "operator"))
        if isinstance(operand, Opaque) or operator in "&*":
            return operand
        if operator == "!":
            return not operand
        assert operator == "-" and isinstance(operand, (int, float)), self.text(node)
        return -operand

    def binary(self, node: Node) -> Go:
        left, right = self.value(_part(node, "left")), self.value(_part(node, "right"))
        operator = self.text(_part(node, "operator"))
        if operator in ("==", "!=") and (left is None or right is None):
            return (left is right) == (operator == "==")
        if isinstance(left, Opaque) or isinstance(right, Opaque):
            return Opaque(self.text(node))
        if operator in ("==", "!="):
            return (left == right) == (operator == "==")
        if operator == "&&":
            return left and right
        if operator == "||":
            return left or right
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        return Opaque(self.text(node))

    def literal(self, node: Node) -> Go:
        elements = [child for child in node.named_children if child.type != "comment"]
        if not elements or elements[0].type == "keyed_element":
            keyed: dict[Go, Go] = {}
            for element in elements:
                key, value = (c for c in element.named_children if c.type != "comment")
                inner = key.named_children[0]
                name = self.text(inner) if inner.type == "identifier" else self.value(inner)
                keyed[name] = self.value(value)
            return keyed
        return [self.value(element) for element in elements]

    def index(self, node: Node) -> Go:
        container, index = self.value(_part(node, "operand")), self.value(_part(node, "index"))
        if isinstance(container, dict):
            return container.get(index)
        if isinstance(container, list) and isinstance(index, int):
            return container[index]
        return Opaque(self.text(node))

    def called(self, node: Node) -> Go:
        function, arguments = _part(node, "function"), _part(node, "arguments").named_children
        name = self.text(function)
        if name in self.package.functions:
            try:
                return self.package.call(name, *(self.value(argument) for argument in arguments))
            except ValueError as problem:
                raise ValueError(f"in {name}: {problem}") from problem
        if name == "delete":
            container, key = (self.value(argument) for argument in arguments)
            assert isinstance(container, dict)
            container.pop(key, None)
            return None
        if name in ("string", "int"):
            return self.value(arguments[0])
        if name == "len":
            measured = self.value(arguments[0])
            return len(measured) if isinstance(measured, (str, list, dict)) else Opaque(self.text(node))
        if name == "make":
            return {}
        return Opaque(self.text(node))

    def text(self, node: Node) -> str:
        return _text(node, self.source)


def _part(node: Node, name: str) -> Node:
    child = node.child_by_field_name(name)
    if child is None:
        raise ValueError(f"{node.type} without {name}")
    return child


def _text(node: Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode()


def _descendants(node: Node, types: tuple[str, ...]) -> list[Node]:
    found = []
    for child in node.named_children:
        if child.type in types:
            found.append(child)
        else:
            found += _descendants(child, types)
    return found
