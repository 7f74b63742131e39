"""Who may see and do what?

The names below are the whole surface of this room. They are looked up on first use, because the tables of the
rooms above import ``sharing.access.guarded`` while Django is still loading tables.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sharing.access.actions.emergency import lengthen as lengthen
    from sharing.access.actions.emergency import open_incident as open_incident
    from sharing.access.actions.emergency import take_back as take_back
    from sharing.access.actions.opening import close_dataset as close_dataset
    from sharing.access.actions.opening import close_given as close_given
    from sharing.access.actions.opening import lock_like as lock_like
    from sharing.access.actions.opening import open_dataset as open_dataset
    from sharing.access.actions.participation import close as close
    from sharing.access.actions.participation import follow_head as follow_head
    from sharing.access.actions.participation import join as join
    from sharing.access.actions.participation import leave as leave
    from sharing.access.actions.participation import relevel as relevel
    from sharing.access.actions.retiring import retire as retire
    from sharing.access.actions.rules import RuleTerms as RuleTerms
    from sharing.access.actions.rules import confirm_rule as confirm_rule
    from sharing.access.actions.rules import end_rules as end_rules
    from sharing.access.actions.rules import make_rule as make_rule
    from sharing.access.actions.sharing import revoke as revoke
    from sharing.access.actions.sharing import share as share
    from sharing.access.counting import told_count as told_count
    from sharing.access.queries.decisions import Decision as Decision
    from sharing.access.queries.decisions import NotYourRight as NotYourRight
    from sharing.access.queries.decisions import decide as decide
    from sharing.access.queries.decisions import grants_on as grants_on
    from sharing.access.queries.decisions import may as may
    from sharing.access.queries.decisions import require as require
    from sharing.access.queries.decisions import require_more_than_glass as require_more_than_glass
    from sharing.access.queries.drift import drift as drift
    from sharing.access.queries.drift import note_drift as note_drift
    from sharing.access.queries.emergency import datasets_broken as datasets_broken
    from sharing.access.queries.emergency import incident_called as incident_called
    from sharing.access.queries.emergency import incidents_named as incidents_named
    from sharing.access.queries.entrusted import datasets_entrusted as datasets_entrusted
    from sharing.access.queries.explaining import explain as explain
    from sharing.access.queries.given import ends_of as ends_of
    from sharing.access.queries.given import grants_on_datasets as grants_on_datasets
    from sharing.access.queries.hidden import Unseen as Unseen
    from sharing.access.queries.paging import page as page
    from sharing.access.queries.paging import visible_incident_ids as visible_incident_ids
    from sharing.access.queries.projection import project as project
    from sharing.access.queries.records import NotForExport as NotForExport
    from sharing.access.queries.records import held as held
    from sharing.access.queries.rules import opened_data as opened_data
    from sharing.access.queries.rules import rules_of as rules_of
    from sharing.access.queries.scopes import resolve as resolve
    from sharing.access.queries.sight import scope as scope
    from sharing.access.queries.sight import unscoped as unscoped
    from sharing.access.queries.single import get as get
    from sharing.access.queries.single import lock as lock
    from sharing.access.queries.streams import may_read_stream as may_read_stream
    from sharing.access.queries.streams import readable as readable
    from sharing.access.queries.streams import readable_steps as readable_steps
    from sharing.access.queries.streams import readers_of as readers_of
    from sharing.access.queries.streams import shares_of as shares_of
    from sharing.access.queries.streams import streams_of as streams_of

_WHERE = {
    "sharing.access.actions.emergency": ("lengthen", "open_incident", "take_back"),
    "sharing.access.actions.opening": ("close_dataset", "close_given", "lock_like", "open_dataset"),
    "sharing.access.actions.participation": ("close", "follow_head", "join", "leave", "relevel"),
    "sharing.access.actions.retiring": ("retire",),
    "sharing.access.actions.rules": ("RuleTerms", "confirm_rule", "end_rules", "make_rule"),
    "sharing.access.actions.sharing": ("revoke", "share"),
    "sharing.access.counting": ("told_count",),
    "sharing.access.queries.decisions": (
        "Decision", "NotYourRight", "decide", "grants_on", "may", "require", "require_more_than_glass",
    ),
    "sharing.access.queries.drift": ("drift", "note_drift"),
    "sharing.access.queries.emergency": ("datasets_broken", "incident_called", "incidents_named"),
    "sharing.access.queries.entrusted": ("datasets_entrusted",),
    "sharing.access.queries.explaining": ("explain",),
    "sharing.access.queries.given": ("ends_of", "grants_on_datasets"),
    "sharing.access.queries.hidden": ("Unseen",),
    "sharing.access.queries.paging": ("page", "visible_incident_ids"),
    "sharing.access.queries.projection": ("project",),
    "sharing.access.queries.records": ("NotForExport", "held"),
    "sharing.access.queries.rules": ("opened_data", "rules_of"),
    "sharing.access.queries.scopes": ("resolve",),
    "sharing.access.queries.sight": ("scope", "unscoped"),
    "sharing.access.queries.single": ("get", "lock"),
    "sharing.access.queries.streams": (
        "may_read_stream",
        "readable",
        "readable_steps",
        "readers_of",
        "shares_of",
        "streams_of",
    ),
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
