"""Which entries does a DCAT document hold, in words that the catalogue's own acts take?

Nothing is fetched and nothing is expanded: the names must be written as `sharing.catalogue.dcat` writes them, under
the same prefixes. What we have no place for is an error, not lost in silence. Whether the values themselves may be
kept is judged by the acts that keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from sharing.catalogue import dcat

Fault = Callable[[str, str, Any], None]
MOST = 1000
PROPERTIES = {
    "@id", "@type", "dct:identifier", "dct:title", "dct:description", "dct:publisher", "dct:accrualPeriodicity",
    "dct:accessRights", "dct:rights", "dcat:theme", "dct:spatial", "dcat:contactPoint", "dct:issued", "adms:status",
    "muster:grace", "muster:classification", "muster:personal", "muster:emergencyRelease", "muster:confirmedAt",
    "dcatap:applicableLegislation", "dct:conformsTo",
}
WHERE = {
    "code": "dct:identifier", "title_zh": "dct:title", "title_en": "dct:title", "description_zh": "dct:description",
    "description_en": "dct:description", "department": "dct:publisher", "frequency": "dct:accrualPeriodicity",
    "sharing": "dct:accessRights", "conditions_zh": "dct:rights", "conditions_en": "dct:rights",
    "theme": "dcat:theme", "area": "dct:spatial", "contact": "dcat:contactPoint", "grace": "muster:grace",
    "classification": "muster:classification", "personal": "muster:personal",
    "emergency_release": "muster:emergencyRelease", "legal_basis": "dcatap:applicableLegislation",
    "schema": "dct:conformsTo",
}
"""Where a field of an entry stands in a document."""


def read(document: Mapping[str, Any], frequencies: Mapping[str, str], fault: Fault) -> list[dict[str, Any]]:
    """``[{at, publisher, state, issued, confirmed_at, basis, schemas, fields}]``; faults go to ``fault``.

    ``frequencies``: code by address; ``at``: the entry's JSON pointer; ``fields``: keyword arguments of a draft.
    """
    _context(document.get("@context"), fault)
    for name in [str(name) for name in document if name not in ("@context", "@graph")][:20]:
        fault(f"/{_escaped(name)}", "unknown_property", _("We do not know this property."))
    graph = document.get("@graph")
    if not isinstance(graph, list) or not 0 < len(graph) <= MOST:
        fault("/@graph", "not_a_list", _("A list of 1 to %(most)d values.") % {"most": MOST})
        return []
    found = []
    seen: set[Any] = set()
    for number, node in enumerate(graph):
        entry = _entry(node, f"/@graph/{number}", frequencies, fault)
        if entry is None:
            continue
        name = (entry["publisher"], entry["fields"]["code"])
        if name in seen:
            fault(f"{entry['at']}/dct:identifier", "repeated", _("This value stands twice."))
        seen.add(name)
        found.append(entry)
    return found


def _context(context: Any, fault: Fault) -> None:
    if not isinstance(context, Mapping):
        fault("/@context", "remote_context", _("Write the prefixes out: no context is fetched from elsewhere."))
        return
    for name, value in list(context.items())[:50]:
        if dcat.CONTEXT.get(name) != value:
            fault(
                f"/@context/{_escaped(str(name))}", "other_prefix",
                _("This prefix is none of ours, or stands for something else here."),
            )


def _entry(node: Any, at: str, frequencies: Mapping[str, str], fault: Fault) -> dict[str, Any] | None:
    if not isinstance(node, Mapping):
        fault(at, "not_an_object", _("An entry is a JSON object."))
        return None
    if node.get("@type") not in ("dcat:Dataset", ["dcat:Dataset"]):
        fault(f"{at}/@type", "not_a_choice", _("Only dcat:Dataset is taken."))
        return None
    for name in [str(name) for name in node if name not in PROPERTIES][:20]:
        fault(f"{at}/{_escaped(name)}", "unknown_property", _("We do not know this property."))
    one = _Node(node, at, fault)
    titles, descriptions, conditions = (
        one.texts(name) for name in ("dct:title", "dct:description", "dct:rights")
    )
    frequency = one.ref("dct:accrualPeriodicity", "")
    rights = {address: name for name, address in dcat.RIGHTS.items()}
    fields = {
        "code": one.text("dct:identifier"),
        "title_zh": titles.get("zh", ""), "title_en": titles.get("en", ""),
        "description_zh": descriptions.get("zh", ""), "description_en": descriptions.get("en", ""),
        "conditions_zh": conditions.get("zh", ""), "conditions_en": conditions.get("en", ""),
        "frequency": frequencies.get(frequency, frequency),
        "sharing": rights.get(one.ref("dct:accessRights", dcat.RIGHTS["unconditional"]), ""),
        "theme": one.ref("dcat:theme", "", dcat.THEMES),
        "area": one.ref("dct:spatial", "", dcat.AREAS),
        "contact": one.inner("dcat:contactPoint").text("vcard:fn") if "dcat:contactPoint" in node else "",
        "grace": node.get("muster:grace", 0),
        "classification": node.get("muster:classification", 2),
        "personal": one.yes("muster:personal"),
        "emergency_release": one.yes("muster:emergencyRelease"),
    }
    return {
        "at": at,
        "publisher": one.inner("dct:publisher").ref("@id", "", dcat.PUBLISHERS, plain=True),
        "state": one.ref("adms:status", "draft", dcat.STATUS),
        "issued": one.moment("dct:issued"),
        "confirmed_at": one.moment("muster:confirmedAt"),
        "basis": _basis(one.inner("dcatap:applicableLegislation")) if "dcatap:applicableLegislation" in node else None,
        "schemas": _schemas(node.get("dct:conformsTo", []), f"{at}/dct:conformsTo", fault),
        "fields": fields,
    }


def _basis(one: _Node) -> dict[str, Any]:
    titles = one.texts("dct:title")
    for name in [str(name) for name in one.node if name not in _BASIS][:20]:
        one.fault(f"{one.at}/{_escaped(name)}", "unknown_property", _("We do not know this property."))
    return {
        "instrument_zh": titles.get("zh", ""),
        "instrument_en": titles.get("en", ""),
        "article": one.text("muster:article"),
        "url": one.text("muster:url"),
        "in_force_from": one.day("muster:inForceFrom"),
        "in_force_to": one.day("muster:inForceTo"),
    }


_BASIS = {
    "@type", "dct:title", "muster:article", "muster:url", "muster:inForceFrom", "muster:inForceTo",
}


def _schemas(given: Any, at: str, fault: Fault) -> list[Any]:
    found = []
    for number, node in enumerate(given if isinstance(given, list) else [given]):
        literal = node.get("muster:tableSchema") if isinstance(node, Mapping) else None
        if not isinstance(literal, Mapping) or literal.get("@type") != "@json" or "@value" not in literal:
            fault(f"{at}/{number}", "no_schema", _("A schema stands as a literal of the type @json."))
            continue
        found.append(literal["@value"])
    return found


class _Node:
    """One object of a document: each method returns one property, in one of the forms JSON-LD allows for it."""

    def __init__(self, node: Mapping[str, Any], at: str, fault: Fault) -> None:
        self.node, self.at, self.fault = node, at, fault

    def text(self, name: str) -> str:
        value = self.node.get(name, "")
        if not isinstance(value, str):
            self.fault(f"{self.at}/{name}", "not_text", _("This must be text."))
            return ""
        return value

    def texts(self, name: str) -> dict[str, str]:
        given = self.node.get(name, [])
        found: dict[str, str] = {}
        for one in given if isinstance(given, list) else [given]:
            if not isinstance(one, Mapping) or set(one) != {"@language", "@value"}:
                self.fault(f"{self.at}/{name}", "no_language", _("Give each text with its language."))
                continue
            language, text = one["@language"], one["@value"]
            short = language.lower().partition("-")[0] if isinstance(language, str) else ""
            if short not in ("zh", "en") or not isinstance(text, str) or short in found:
                self.fault(f"{self.at}/{name}", "no_language", _("One text in Chinese (zh) and one in English (en)."))
                continue
            found[short] = text
        return found

    def inner(self, name: str) -> _Node:
        value = self.node.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, Mapping):
            self.fault(f"{self.at}/{name}", "not_an_object", _("This must be a JSON object."))
            value = {}
        return _Node(value, f"{self.at}/{name}", self.fault)

    def ref(self, name: str, otherwise: str, prefix: str = "", *, plain: bool = False) -> str:
        value = self.node.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if value is None or value == []:
            return otherwise
        address = value if plain else value.get("@id") if isinstance(value, Mapping) and set(value) == {"@id"} else None
        if not isinstance(address, str) or not address.startswith(prefix):
            form = {"form": prefix or "@id"}
            self.fault(f"{self.at}/{name}", "not_a_term", _("One address of the form %(form)s.") % form)
            return otherwise
        return address[len(prefix) :]

    def yes(self, name: str) -> bool:
        value = self.node.get(name, False)
        if not isinstance(value, bool):
            self.fault(f"{self.at}/{name}", "not_boolean", _("true or false."))
            return False
        return value

    def moment(self, name: str) -> datetime | None:
        text = self.text(name)
        try:
            found = datetime.fromisoformat(text) if text else None
        except ValueError:
            found = None
        if text and (found is None or found.tzinfo is None or not 1970 < found.year < 2100):
            self.fault(f"{self.at}/{name}", "not_time", _("This must be a time with its zone."))
            return None
        return found.astimezone(UTC) if found else None

    def day(self, name: str) -> date | None:
        text = self.text(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.fault(f"{self.at}/{name}", "not_a_day", _("A day of the years 1900 to 2099."))
            return None


def _escaped(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901)."""
    return name[:80].replace("~", "~0").replace("/", "~1")
