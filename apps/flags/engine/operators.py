"""From a condition to a function of one attribute's value. Built once a snapshot, so that evaluating is only looking.

What does not fit a condition (another type, text that is no version, date or address) fails it; nothing raises.
Where the attribute is a list, as `tags` is, a condition holds when one of its members satisfies it; `not_equals` and
`not_in` when none stands in the way.
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import re2
import semver

from apps.flags.engine.model import Operator

Test: TypeAlias = Callable[[Any], bool]
Number: TypeAlias = int | float
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_PATTERN = 500
# Linear is not quick: an expression may be as large as a thousand steps for each character, and callers send the text.
LONGEST_MATCHED = 2_048
# The same for lists: a megabyte holds so many versions that two hundred flags would read them for more than a minute.
MOST_MEMBERS = 1_000
_LONGEST_LIST = 10_000
_SCALARS = (str, int, float, bool)
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,37})(?:\.\d{1,38})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d))?", re.ASCII
)
_FRACTION = re.compile(r"\.(\d+)")


class Unusable(ValueError):
    """The value of a condition does not fit its operator; the sentence says why."""


def compile_test(operator: Operator, value: Any) -> Test:
    """The test that an attribute's value (present, not null) must pass.

    Raises:
        Unusable: the value does not fit the operator.
    """
    if operator in {Operator.NOT_EQUALS, Operator.NOT_IN}:
        return _for_none(_members(operator, value))
    made = _MAKERS[operator](operator, value)
    # These speak of a list as a whole.
    return made if operator in {Operator.CONTAINS, Operator.EXISTS, Operator.MATCHES} else _for_any(made)


def _for_any(test: Test) -> Test:
    def holds(found: Any) -> bool:
        if type(found) is list:
            return len(found) <= MOST_MEMBERS and any(map(test, found))
        return test(found)

    return holds


def _for_none(values: "_Members") -> Test:
    def holds(found: Any) -> bool:
        if type(found) is list:
            return len(found) <= MOST_MEMBERS and not any(map(values.has, found))
        return values.compares(found) and not values.has(found)

    return holds


class _Members:
    """A set of scalars that tells 1 from true, and reads numbers written as text."""

    __slots__ = ("booleans", "numbers", "strings")

    def __init__(self, values: Iterable[Any]) -> None:
        known = list(values)
        self.strings = frozenset(each for each in known if type(each) is str)
        self.booleans = frozenset(each for each in known if type(each) is bool)
        self.numbers = frozenset(each for each in known if type(each) in {int, float})

    def compares(self, found: Any) -> bool:
        """True where the set holds something of the value's type."""
        kind = type(found)
        if kind is str:
            return bool(
                self.strings
                or (self.numbers and number(found) is not None)
                or (self.booleans and found in {"true", "false"})
            )
        return bool(self.booleans if kind is bool else self.numbers if kind in {int, float} else False)

    def has(self, found: Any) -> bool:
        kind = type(found)
        if kind is str:
            if found in self.strings:
                return True
            if self.numbers and number(found) in self.numbers:
                return True
            return bool(self.booleans) and found in {"true", "false"} and (found == "true") in self.booleans
        if kind is bool:
            return found in self.booleans
        return kind in {int, float} and found in self.numbers


def number(found: Any) -> Number | None:
    """The number that a value is, or that a text writes as JSON does (a query string carries only text)."""
    kind = type(found)
    if kind is int or kind is float:
        return found  # type: ignore[no-any-return]  # of one of the two types: checked in the line above
    if kind is str and len(found) <= 80 and _JSON_NUMBER.fullmatch(found):
        return float(found) if any(sign in found for sign in ".eE") else int(found)
    return None


def _members(operator: Operator, value: Any) -> _Members:
    single = operator in {Operator.EQUALS, Operator.NOT_EQUALS}
    values = [value] if single else value
    if not isinstance(values, list) or not values:
        raise Unusable("A list of strings, numbers or booleans is expected.")
    if len(values) > _LONGEST_LIST:
        raise Unusable(f"A list has at most {_LONGEST_LIST} members.")
    if not all(type(each) in _SCALARS for each in values):
        raise Unusable("A string, a number or a boolean is expected.")
    return _Members(values)


def _among(operator: Operator, value: Any) -> Test:
    return _members(operator, value).has


def _text(operator: Operator, value: Any) -> Test:
    needle = _string(value)
    if operator is Operator.STARTS_WITH:
        return lambda found: type(found) is str and found.startswith(needle)
    return lambda found: type(found) is str and found.endswith(needle)


def _contains(operator: Operator, value: Any) -> Test:
    """A text contains a part, a list a member."""
    members = _members(operator, [value])
    part = value if type(value) is str else None

    def holds(found: Any) -> bool:
        if type(found) is list:
            return len(found) <= MOST_MEMBERS and any(map(members.has, found))
        return part is not None and type(found) is str and part in found

    return holds


def _string(value: Any) -> str:
    if type(value) is not str or not value:
        raise Unusable("A string is expected.")
    return value


def _matches(_: Operator, value: Any) -> Test:
    """RE2: in time linear to the text, whatever the pattern; found anywhere in it. Of a list, in one of its members.

    More than `LONGEST_MATCHED` characters, in a list all together, fail it.
    """
    pattern = _string(value)
    if len(pattern) > LONGEST_PATTERN:
        raise Unusable(f"A regular expression has at most {LONGEST_PATTERN} characters.")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        search = re2.compile(pattern, options).search
    except (re2.error, UnicodeError):
        raise Unusable("This is no regular expression of RE2 (no look-around, no back-references).") from None

    def found_in(text: str) -> bool:
        try:
            return search(text) is not None
        except UnicodeError:
            return False

    def holds(found: Any) -> bool:
        members = found if type(found) is list else [found]
        if len(members) > MOST_MEMBERS:
            return False
        texts = [each for each in members if type(each) is str]
        return sum(map(len, texts)) <= LONGEST_MATCHED and any(map(found_in, texts))

    return holds


def _compared(operator: Operator, value: Any) -> Test:
    if type(value) not in {int, float}:
        raise Unusable("A number is expected.")
    bound: Number = value

    def greater(found: Any) -> bool:
        known = number(found)
        return known is not None and known > bound

    def less(found: Any) -> bool:
        known = number(found)
        return known is not None and known < bound

    return greater if operator is Operator.GREATER_THAN else less


@functools.lru_cache(maxsize=4096)
def _version(text: str) -> semver.Version | None:
    if len(text) > 128:
        return None
    try:
        return semver.Version.parse(text, optional_minor_and_patch=True)
    except ValueError:
        return None


def _semver(operator: Operator, value: Any) -> Test:
    wanted = _version(value) if type(value) is str else None
    if wanted is None:
        raise Unusable("A version is expected, like 1.4.2 or 2.0.0-rc.1.")
    sign = {Operator.SEMVER_GREATER_THAN: 1, Operator.SEMVER_LESS_THAN: -1}.get(operator, 0)

    def holds(found: Any) -> bool:
        known = _version(found) if type(found) is str and len(found) <= 128 else None
        return known is not None and known.compare(wanted) == sign

    return holds


@functools.lru_cache(maxsize=4096)
def moment(text: str) -> datetime | None:
    """An RFC 3339 date-time, or a bare date as its first instant in UTC; None for anything else."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        # Python keeps six digits of a second.
        found = datetime.fromisoformat(_FRACTION.sub(lambda it: f".{it[1][:6]:0<6}", text.upper()))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _dated(operator: Operator, value: Any) -> Test:
    bound = moment(value) if type(value) is str and len(value) <= 40 else None
    if bound is None:
        raise Unusable("A date is expected as RFC 3339 writes it, like 2026-01-31T12:00:00Z.")
    later = operator is Operator.AFTER

    def holds(found: Any) -> bool:
        known = moment(found) if type(found) is str and len(found) <= 40 else None
        return known is not None and (known > bound if later else known < bound)

    return holds


def _exists(_: Operator, value: Any) -> Test:
    # Only called where the attribute is there; its absence is the evaluator's (see `wants_absence`).
    if type(value) is not bool:
        raise Unusable("true or false is expected.")
    return lambda _found: bool(value)


def wants_absence(operator: Operator, value: Any) -> bool:
    """True for the one condition that an absent attribute satisfies: `exists` with false."""
    return operator is Operator.EXISTS and value is False


def _cidr(_: Operator, value: Any) -> Test:
    values = value if isinstance(value, list) else [value]
    if not 1 <= len(values) <= 1_000:
        raise Unusable("1 to 1,000 networks are expected.")
    try:
        networks = tuple(ipaddress.ip_network(_string(each), strict=False) for each in values)
    except ValueError:
        raise Unusable("A network is expected, like 10.0.0.0/8 or 2001:db8::/32.") from None

    def holds(found: Any) -> bool:
        known = _address(found) if type(found) is str and len(found) <= 64 else None
        return known is not None and any(known in network for network in networks)

    return holds


@functools.lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


_MAKERS: dict[Operator, Callable[[Operator, Any], Test]] = {
    Operator.EQUALS: _among,
    Operator.IN: _among,
    Operator.CONTAINS: _contains,
    Operator.STARTS_WITH: _text,
    Operator.ENDS_WITH: _text,
    Operator.MATCHES: _matches,
    Operator.GREATER_THAN: _compared,
    Operator.LESS_THAN: _compared,
    Operator.SEMVER_EQUALS: _semver,
    Operator.SEMVER_GREATER_THAN: _semver,
    Operator.SEMVER_LESS_THAN: _semver,
    Operator.BEFORE: _dated,
    Operator.AFTER: _dated,
    Operator.EXISTS: _exists,
    Operator.CIDR: _cidr,
}
