"""Knobs: what an operator may turn without a restart.

A knob is declared in code, in the module `knobs.py` of the app whose behaviour it drives, and read where it acts:

    SESSION_IDLE = knobs.integer("global.session_idle_minutes", default=30, minimum=5, maximum=1440, description=…)
    SESSION_IDLE.get()

Without a source every knob stands at its default. `apps.configuration` is the source: it keeps what operators set
and hands out values from a snapshot in memory. Floors below it read knobs without knowing it.
"""

from apps.core.knobs.registry import (
    UNSET,
    Knob,
    Scope,
    Source,
    boolean,
    choice,
    declare,
    find,
    integer,
    is_name,
    json,
    knob,
    knobs,
    number,
    provide,
    source,
    string,
)
from apps.core.knobs.values import Shape, ValueType, ValueWrong

__all__ = [
    "UNSET",
    "Knob",
    "Scope",
    "Shape",
    "Source",
    "ValueType",
    "ValueWrong",
    "boolean",
    "choice",
    "declare",
    "find",
    "integer",
    "is_name",
    "json",
    "knob",
    "knobs",
    "number",
    "provide",
    "source",
    "string",
]
