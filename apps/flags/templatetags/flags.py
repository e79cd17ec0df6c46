"""Tags of the editor's templates."""

from collections.abc import Mapping, Sequence

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def path(*parts: object) -> str:
    """`rules.0.name` of its parts."""
    return ".".join(map(str, parts))


@register.simple_tag
def said(errors: Mapping[str, Sequence[str]], *parts: object) -> SafeString:
    """What is wrong with the input at a path."""
    found = errors.get(path(*parts), ())
    return format_html_join("", '<p class="sw-field-error" role="alert">{}</p>', ((each,) for each in found))


@register.simple_tag
def said_below(errors: Mapping[str, Sequence[str]], *parts: object) -> SafeString:
    """What is wrong at a path or anywhere below it."""
    at = path(*parts)
    found = [each for key, told in errors.items() if key == at or key.startswith(f"{at}.") for each in told]
    return format_html_join("", '<p class="sw-field-error" role="alert">{}</p>', ((each,) for each in found))


@register.simple_tag
def focused(focus: str, *parts: object) -> SafeString:
    """The attribute of the input that gets the focus when the page opens."""
    return mark_safe(" autofocus") if focus == path(*parts) else mark_safe("")
