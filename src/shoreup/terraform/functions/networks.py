"""IP networks: hosts, masks and subnets of a prefix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from shoreup.model.value import Unknown, Value
from shoreup.terraform.functions.conversion import as_number, as_text
from shoreup.terraform.functions.kinds import Number, Refused
from shoreup.terraform.functions.signature import Function, Parameter

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    Network: TypeAlias = IPv4Network | IPv6Network

MAX_NEW_BITS = 32
_LEADING_ZEROS = re.compile(r"(?<![0-9a-fA-F:.])0+(?=\d+\.)|(?<=\.)0+(?=\d)")


def parse(prefix: str) -> Network:
    """Read a prefix; host bits are dropped and octets may have leading zeros, as Terraform allows."""
    from ipaddress import ip_network

    try:
        if "/" not in prefix or not prefix.rpartition("/")[2].isdecimal():
            raise ValueError
        return ip_network(_LEADING_ZEROS.sub("", prefix), strict=False)
    except ValueError:
        raise Refused("invalid CIDR expression: invalid CIDR address") from None


def _whole(number: Number) -> int:
    if isinstance(number, int):
        return number
    raise Refused("value must be a whole number")


def cidrhost(prefix: str, host: Number) -> Value:
    network, number = parse(prefix), _whole(host)
    last = network.num_addresses - 1
    place = number if number >= 0 else last + number + 1
    if not 0 <= place <= last:
        raise Refused(f"prefix of {network.prefixlen} does not accommodate a host numbered {number}")
    return str(network.network_address + place)


def cidrnetmask(prefix: str) -> Value:
    network = parse(prefix)
    if network.version == 6:
        raise Refused("IPv6 addresses cannot have a netmask")
    return str(network.netmask)


def cidrsubnet(prefix: str, newbits: Number, netnum: Number) -> Value:
    network, bits, number = parse(prefix), _whole(newbits), _whole(netnum)
    length = network.prefixlen + bits
    if length > network.max_prefixlen:
        raise Refused(f"insufficient address space to extend prefix of {network.prefixlen} by {bits}")
    if bits < 0 or number < 0:
        return Unknown("a negative subnet number has no defined result")
    if number >= 1 << bits:
        raise Refused(f"prefix extension of {bits} does not accommodate a subnet numbered {number}")
    start = int(network.network_address) + (number << (network.max_prefixlen - length))
    return f"{type(network.network_address)(start)}/{length}"


def cidrsubnets(prefix: str, *newbits: Number) -> Value:
    network = parse(prefix)
    following = int(network.network_address)
    subnets: list[Value] = []
    for position, bits in enumerate(map(_whole, newbits), 1):
        length = network.prefixlen + bits
        if bits < 1:
            raise Refused("must extend prefix by at least one bit", position)
        if bits > MAX_NEW_BITS:
            raise Refused(f"may not extend prefix by more than {MAX_NEW_BITS} bits", position)
        if length > network.max_prefixlen:
            what = f"IPv{network.version} address"
            raise Refused(f"would extend prefix to {length} bits, which is too long for an {what}", position)
        size = 1 << (network.max_prefixlen - length)
        start = -(-following // size) * size
        if start + size > int(network.network_address) + network.num_addresses:
            after = f" after {subnets[-1]}" if subnets else ""
            space = f"not enough remaining address space for a subnet with a prefix of {length} bits{after}"
            raise Refused(space, position)
        following = start + size
        subnets.append(f"{type(network.network_address)(start)}/{length}")
    return subnets


def cidrcontains(prefix: str, contained: str) -> Value:
    from ipaddress import ip_address, ip_network

    network = parse(prefix)
    try:
        inner = parse(contained) if "/" in contained else ip_network(ip_address(_LEADING_ZEROS.sub("", contained)))
    except ValueError:
        raise Refused("invalid IP address or prefix") from None
    if inner.version != network.version:
        raise Refused("address family mismatch")
    first, last = int(inner.network_address), int(inner.broadcast_address)
    return int(network.network_address) <= first and last <= int(network.broadcast_address)


_PREFIX = Parameter("prefix", as_text)

FUNCTIONS: Mapping[str, Function] = {
    "cidrcontains": Function(
        cidrcontains, (Parameter("containing_prefix", as_text), Parameter("contained_ip_or_prefix", as_text))
    ),
    "cidrhost": Function(cidrhost, (_PREFIX, Parameter("hostnum", as_number))),
    "cidrnetmask": Function(cidrnetmask, (_PREFIX,)),
    "cidrsubnet": Function(cidrsubnet, (_PREFIX, Parameter("newbits", as_number), Parameter("netnum", as_number))),
    "cidrsubnets": Function(cidrsubnets, (_PREFIX,), Parameter("newbits", as_number)),
}
