"""Dialogs: every change an operator makes. Says what will happen, asks for the reason, calls one service."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms

from apps.backoffice.seen import Seen
from apps.core.errors import DomainError
from apps.core.principal import Principal


class ReasonForm(forms.Form):
    """Why: three characters at least; the trail keeps it."""

    reason = forms.CharField(
        label="Reason",
        min_length=3,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Ticket, and what it is about"}),
        error_messages={"required": "Say why: the audit trail keeps it."},
    )


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, as a sentence, and where the reader goes then (by default back to where the dialog stood)."""

    sentence: str
    url: str = ""


class Dialog:
    """One action. `name` is its place in the URL and in tests.

    Attributes:
        permission: of apps.core.access; whom it does not reach gets the same 404 as for an unknown id.
        variant: plain, primary or danger.
        dismiss: the button that leaves everything as it is; where the act is a cancelling, it is not called Cancel.
        group: plain ones stand as buttons, those of `more` in a menu.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    permission: ClassVar[str]
    icon: ClassVar[str] = "edit"
    variant: ClassVar[str] = "plain"
    submit: ClassVar[str] = ""
    dismiss: ClassVar[str] = "Cancel"
    group: ClassVar[str] = ""
    form_class: ClassVar[type[forms.Form]] = ReasonForm

    def available(self, target: Any) -> bool:
        """Whether it makes sense in the present state; the service decides again under its lock."""
        del target
        return True

    def heading(self, target: Any, seen: Seen) -> str:
        """The dialog's title."""
        del target, seen
        return self.title

    @abstractmethod
    def consequence(self, target: Any, seen: Seen) -> str:
        """What will happen, in a sentence or two."""
        raise NotImplementedError

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        """The form, unbound (`data` None) or bound."""
        del target, seen
        return self.form_class(data)

    @abstractmethod
    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        """Calls the service.

        Raises:
            DomainError: shown in the dialog, which stays open.
        """
        raise NotImplementedError


def explain(form: forms.Form, refusal: DomainError) -> None:
    """Puts a refusal of the domain where its reader looks: at the field to blame, else above the form.

    `details` name fields by path (`plan_override.limits.max_users`); the last part is the form's field.
    """
    placed = False
    for path, sentences in refusal.details.items():
        if not isinstance(sentences, list | tuple):
            continue
        name = str(path).rpartition(".")[2]
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, str(sentence))
        placed = placed or name in form.fields
    if not placed:
        form.add_error(None, refusal.message)
