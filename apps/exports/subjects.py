"""Everything that is held about one person or one tenant, as a ZIP: a JSON file for each aspect, and a manifest.

For whoever asks for their data (GDPR, articles 15 and 20). Never masked, since a copy with holes is none: only who
may export data at all gets it. Secrets are not data about somebody: aspects leave out hashes, keys and factors.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from apps.core.aspects import Subject, registry
from apps.core.ids import parse, parse_or_none
from apps.core.principal import Principal
from apps.exports.enums import ExportFormat
from apps.exports.errors import ExportParamsInvalid
from apps.exports.registry import Input, Kind, Row, exportable

PERMISSION = "data.export"


def export_subject(
    subject: Subject, *, name: str, title: str, prefix: str, exists: Callable[[UUID], bool]
) -> None:
    """Registers the kind `name`, whose one parameter `<subject>_id` names the subject.

    Args:
        prefix: of the public ids.
        exists: whether there is such a one.
    """
    param = f"{subject.value}_id"

    def check(params: Mapping[str, Any]) -> dict[str, Any]:
        unknown = {key: ["This parameter is not known."] for key in params if key != param}
        if unknown:
            raise ExportParamsInvalid(details=unknown)
        text = params.get(param)
        found = parse_or_none(prefix, text) if isinstance(text, str) else None
        if found is None or not exists(found):
            raise ExportParamsInvalid(details={param: [f"There is no such {subject.value}."]})
        return {param: text}

    def members(principal: Principal, params: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[Row]]]:
        del principal
        subject_id = parse(prefix, params[param])
        for aspect in registry.of(subject):
            if aspect.export is not None:
                yield aspect.name, aspect.export(subject_id)

    exportable(
        Kind(
            name=name,
            title=title,
            permission=PERMISSION,
            params=check,
            formats=frozenset({ExportFormat.ZIP}),
            members=members,
            about=lambda params: {"subject": subject.value, "id": params[param]},
            inputs=[Input(param, subject.value.capitalize(), hint=f"{prefix}_…")],
        )
    )
