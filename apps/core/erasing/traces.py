"""What a person is known by, found in and taken out of texts that nobody can find by a key.

An e-mail address names one person. A name does not (there are namesakes), so it is taken out only where it stands
beside the address or the id of the person.
"""

import json
import re
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self
from uuid import UUID

# RFC 2606: no mail reaches anybody. Stands where an erased person's address stood.
ERASED_EMAIL = "erased@erased.invalid"
ERASED_NAME = "[erased]"


@dataclass(frozen=True)
class Traces:
    """One person.

    Attributes:
        emails: in lower case; past addresses too.
        name: as people write it; may be empty.
        past_names: what they were called before.
    """

    person_id: UUID
    public_id: str
    emails: tuple[str, ...]
    name: str = ""
    past_names: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that are worth looking for: a single letter is none."""
        return tuple(name for each in (self.name, *self.past_names) if len(name := each.strip()) > 1)

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "person_id": str(self.person_id)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        known = json.loads(text)
        return cls(
            person_id=UUID(known["person_id"]),
            public_id=known["public_id"],
            emails=tuple(known["emails"]),
            name=known["name"],
            past_names=tuple(known.get("past_names", ())),
        )

    @property
    def needles(self) -> tuple[str, ...]:
        """What a text holds that is about the person: where none of these stands, nothing has to be looked at."""
        return (*self.emails, self.public_id, str(self.person_id))

    @cached_property
    def _email(self) -> "re.Pattern[str] | None":
        """Whole addresses: `ann@x.example` is neither in `joann@x.example` nor in `ann@x.example.org`."""
        if not self.emails:
            return None
        longest_first = sorted(map(re.escape, self.emails), key=len, reverse=True)
        return re.compile(rf"(?<![\w.%+-])(?:{'|'.join(longest_first)})(?![\w-]|\.\w)", re.IGNORECASE)

    @cached_property
    def _id(self) -> "re.Pattern[str]":
        return re.compile(rf"(?<!\w)(?:{re.escape(self.public_id)}|{self.person_id})(?!\w)", re.IGNORECASE)

    @cached_property
    def _name(self) -> "re.Pattern[str] | None":
        if not self.names:
            return None
        longest_first = sorted(map(re.escape, self.names), key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)

    def in_text(self, text: str) -> bool:
        """True where the text bears an e-mail address of the person."""
        return self._email is not None and self._email.search(text) is not None

    def are_meant(self, text: str) -> bool:
        """True where the text bears an e-mail address or the id of the person."""
        return self.in_text(text) or self._id.search(text) is not None

    def without(self, text: str) -> str:
        """The text without the person's addresses and name; ids stay. JSON stays JSON."""
        if not self.are_meant(text) and not self.are_meant(_unescaped(text)):
            return text
        try:
            value = json.loads(text)
        except ValueError:
            return self._taken_out(text)
        if not isinstance(value, dict | list):
            return self._taken_out(text)
        cleaned = self._inside(value)
        return text if cleaned == value else json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))

    def without_in(self, value: Any) -> Any:
        """A JSON value without the person, wherever it stands in there."""
        return (
            self._inside(value)
            if self.are_meant(json.dumps(value, ensure_ascii=False, default=str))
            else value
        )

    def _inside(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._taken_out(value)
        if isinstance(value, dict):
            return {self._taken_out(str(key)): self._inside(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._inside(inner) for inner in value]
        return value

    def _taken_out(self, text: str) -> str:
        if self._email is not None:
            text = self._email.sub(ERASED_EMAIL, text)
        return self._name.sub(ERASED_NAME, text) if self._name is not None else text


def _unescaped(text: str) -> str:
    """JSON with `\\u00e9` and the like in clear; whatever is no JSON as it is."""
    if "\\u" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text
