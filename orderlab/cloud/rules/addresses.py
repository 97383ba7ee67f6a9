"""IP addresses in event patterns: the cidr operator, and plain strings that happen to be addresses.

AWS writes an address as hexadecimal digits (8 for IPv4, 32 for IPv6) and compares those, digit by digit, as the open
engine aws/event-ruler does. So all spellings of one address are equal, and two odd things follow that are kept here
because the service has them: a number is compared by its own digits, unless its field compares numbers too, and an
IPv6 address by its first eight digits where the range is IPv4.

Taught in notebooks/03_the_bus.ipynb.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from . import numeric

_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")


def digits_of(address: str) -> str:
    """The address as upper-case hexadecimal digits; raises ValueError, in AWS's words, where it is none."""
    try:
        if _IPV4.fullmatch(address):  # not ipaddress: AWS takes 010.0.0.1 for 10.0.0.1
            return bytes(int(part) for part in address.split(".")).hex().upper()
        if _IPV6.fullmatch(address):
            six = ipaddress.IPv6Address(address)
            return (six.ipv4_mapped or six).packed.hex().upper()
    except ValueError:
        raise ValueError(f"Invalid IP address: {address}") from None
    raise ValueError(f"Nonstandard IP address: {address}")


def exactly(address: str, numbers: bool) -> Callable[[Any], bool]:
    """A test for this one address, however it is spelt; raises ValueError where `address` is none.

    `numbers`: whether a number is looked at, too.
    """
    digits = digits_of(address)
    return _between(digits, digits, numbers)


def network(cidr: str, numbers: bool) -> Callable[[Any], bool]:
    """A test for the addresses of a range such as "10.0.0.0/24"; raises ValueError, in AWS's words.

    AWS refuses /32 for IPv4 and /128 for IPv6: one address is written as a plain string.
    """
    parts = cidr.rstrip("/").split("/")
    if len(parts) != 2:
        raise ValueError("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]+", parts[1]):
        raise ValueError("Malformed CIDR, mask bits must be an integer")
    fixed = int(parts[1])
    if fixed < 0:
        raise ValueError("Malformed CIDR, mask bits must not be negative")
    digits = digits_of(parts[0])
    bits = 4 * len(digits)
    if fixed >= bits:
        raise ValueError(f"IPv{4 if bits == 32 else 6} mask bits must be < {bits}")
    free = (1 << (bits - fixed)) - 1
    base = int(digits, 16)
    return _between(f"{base & ~free:0{len(digits)}X}", f"{base | free:0{len(digits)}X}", numbers)


def _between(low: str, high: str, numbers: bool) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        if isinstance(value, str):
            if ":" not in value and not value[:1].isdigit():  # most strings of an event: decided at a glance
                return False
            try:
                digits = digits_of(value)
            except ValueError:
                return False
        elif numeric.is_number(value) and (numbers or not numeric.comparable(value)):
            digits = str(value)
        else:
            return False
        # Digits are read from the left until they settle it; a text that ends before that is outside ("~" is past "F").
        return low <= digits[: len(low)] and digits[: len(high)].ljust(len(high), "~") <= high

    return test
