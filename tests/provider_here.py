"""Stands in for the Kubernetes provider while Terraform runs tests with mocks: it tells the types of resources that the
provider's table holds, which is all that a mocked provider is asked. Terraform finds it by ``TF_REATTACH_PROVIDERS``.

Run as a program it prints the port of its address on this machine, and serves until it is ended.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from shoreup.sources.provider import table

_TYPES = {"integer": "number", "number": "number", "boolean": "bool"}
_TOLD_BY_THE_SERVER = frozenset({"namespace", "storage_class_name", "target_port", "type", "uid", "cluster_ip"})
"""Fields that a configuration may leave to the server: unknown to a plan that does not set them."""
_ATTRIBUTES, _BLOCKS, _LIST, _OPTIONAL, _COMPUTED = 2, 3, 2, 5, 6
"""Numbers of the plugin protocol, version 5."""


def _number(value: int) -> bytes:
    written = b""
    while value > 127:
        written, value = written + bytes([value & 127 | 128]), value >> 7
    return written + bytes([value])


def _flag(field: int, value: int) -> bytes:
    return _number(field << 3) + _number(value)


def _part(field: int, content: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(content)) + content


def _attribute(name: str, kind: object, *, computed: bool = False) -> bytes:
    told = _part(1, name.encode()) + _part(2, json.dumps(kind).encode()) + _flag(_OPTIONAL, 1)
    return _part(_ATTRIBUTES, told + (_flag(_COMPUTED, 1) if computed else b""))


def _block(shape: Any) -> bytes:
    told = b""
    for name, field in shape.fields.items():
        if field.block is not None:
            told += _part(_BLOCKS, _part(1, name.encode()) + _part(2, _block(field.block)) + _flag(3, _LIST))
            continue
        kind: object = _TYPES.get(field.type, "string")
        if field.form in ("list", "map"):
            kind = [field.form, "string"]
        told += _attribute(name, kind, computed=name in _TOLD_BY_THE_SERVER)
    return told


def _schemas() -> Iterator[bytes]:
    yield _part(1, _part(2, _attribute("config_path", "string")))
    for name, kind in table().kinds.items():
        whole = _part(2, _attribute("id", "string", computed=True) + _block(kind.shape))
        yield _part(2, _part(1, name.encode()) + _part(2, whole))


def serve() -> None:
    """Answer until the process is ended."""
    grpc: Any = import_module("grpc")
    schemas = b"".join(_schemas())

    def answer(call: Any) -> Any:
        if not call.method.startswith("/tfplugin5.Provider/"):
            return None  # a stream on which nothing is ever said would keep a thread for good
        told = schemas if call.method.endswith("/GetSchema") else b""
        return grpc.unary_unary_rpc_method_handler(lambda _asked, _context: told)

    handler = type("Provider", (grpc.GenericRpcHandler,), {"service": lambda _self, call: answer(call)})
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", -1)])
    server.add_generic_rpc_handlers((handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    serve()
