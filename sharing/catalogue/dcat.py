"""What does the catalogue look like as a DCAT document, and which of its own words does a document say?

DCAT 3 (https://www.w3.org/TR/vocab-dcat-3/) as JSON-LD, written with one fixed context. A document is read by these
same names only: its ``@context`` must be ours, word for word, or name the prefixes alike; none is ever fetched, and
no JSON-LD is expanded. What DCAT has no term for stands under our own prefix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sharing.catalogue.models import Dataset, LegalBasis, SchemaVersion

MEDIA = "application/ld+json"
ACCESS = "http://publications.europa.eu/resource/authority/access-right/"
RIGHTS = {
    "unconditional": f"{ACCESS}PUBLIC", "conditional": f"{ACCESS}RESTRICTED", "none": f"{ACCESS}NON_PUBLIC",
}
THEMES = "urn:muster:data-theme:"
AREAS = "urn:muster:division:"
STATUS = "urn:muster:dataset-state:"
PUBLISHERS = "urn:muster:department:"
DATASETS = "urn:muster:dataset:"
CONTEXT: dict[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "adms": "http://www.w3.org/ns/adms#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "dcatap": "http://data.europa.eu/r5r/",
    "muster": "urn:muster:terms:",
}


def document(entries: Sequence[Mapping[str, Any]], frequencies: Mapping[str, str]) -> dict[str, Any]:
    """A catalogue of these entries, each ``{row, schemas}``; ``frequencies``: address of each frequency's code."""
    return {
        "@context": CONTEXT,
        "@graph": [_entry(one["row"], one["schemas"], frequencies) for one in entries],
    }


def _entry(row: Dataset, schemas: Sequence[SchemaVersion], frequencies: Mapping[str, str]) -> dict[str, Any]:
    department = row.department
    found: dict[str, Any] = {
        "@id": f"{DATASETS}{department.code}:{row.code}",
        "@type": "dcat:Dataset",
        "dct:identifier": row.code,
        "dct:title": _texts(row.title_zh, row.title_en),
        "dct:description": _texts(row.description_zh, row.description_en),
        "dct:publisher": {
            "@id": f"{PUBLISHERS}{department.code}", "@type": "foaf:Organization",
            "foaf:name": _texts(department.name_zh, department.name_en),
        },
        "dct:accrualPeriodicity": {"@id": frequencies.get(row.frequency, f"urn:muster:frequency:{row.frequency}")},
        "dct:accessRights": {"@id": RIGHTS[row.sharing]},
        "dct:rights": _texts(row.conditions_zh, row.conditions_en),
        "dcat:theme": [{"@id": f"{THEMES}{row.theme}"}] if row.theme else [],
        "dct:spatial": [{"@id": f"{AREAS}{row.area}"}] if row.area else [],
        "dcat:contactPoint": {"@type": "vcard:Kind", "vcard:fn": row.contact} if row.contact else None,
        "dct:issued": row.listed_at.isoformat(),
        "adms:status": {"@id": f"{STATUS}{row.state}"},
        "muster:grace": row.grace,
        "muster:classification": row.classification,
        "muster:personal": row.personal,
        "muster:emergencyRelease": row.emergency_release,
        "muster:confirmedAt": row.confirmed_at.isoformat() if row.confirmed_at else None,
        "dcatap:applicableLegislation": _basis(row.legal_basis) if row.legal_basis else None,
        "dct:conformsTo": [_schema(one) for one in schemas],
    }
    return {name: value for name, value in found.items() if value not in (None, [])}


def _texts(zh: str, en: str) -> list[dict[str, str]]:
    every = (("zh", zh), ("en", en))
    return [{"@language": language, "@value": text} for language, text in every if text]


def _basis(row: LegalBasis) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "muster:LegalBasis",
        "dct:title": _texts(row.instrument_zh, row.instrument_en),
        "muster:article": row.article or None,
        "muster:url": row.url or None,
        "muster:inForceFrom": row.in_force_from.isoformat(),
        "muster:inForceTo": row.in_force_to.isoformat() if row.in_force_to else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _schema(row: SchemaVersion) -> dict[str, Any]:
    return {
        "@type": "dct:Standard", "owl:versionInfo": str(row.number),
        "muster:tableSchema": {"@type": "@json", "@value": row.document},
    }
