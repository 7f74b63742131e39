"""Which records of a dataset are open to me, narrowed and sorted as I ask, and what does one of them say?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from coordination.events import reads, streams
from coordination.events.refused import Invalid
from coordination.live.queries import cursor
from sharing.access.pages import note_refusal, page
from sharing.access.rest.paging import seal, unseal
from sharing.catalogue import asking, queries, showing

SIZES = (25, 50, 100, 200)
USUAL = 50
FORMATS = (("csv", "CSV"), ("xlsx", "XLSX"), ("json", "JSON"), ("geojson", "GeoJSON"))
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@require_safe
@page()
def records(request: HttpRequest, pk: int) -> HttpResponse:
    """The records that are open to me; where none are, what to do about it."""
    actor, now, given = request.actor, request.now, request.GET  # type: ignore[attr-defined]
    purpose, as_of, size = asking.purpose_of(given), _number(given.get("as_of")), _size(given.get("size"))
    live = cursor(actor, [streams.dataset(pk)], now)
    row = queries.dataset(actor=actor, dataset_id=pk, now=now)
    try:
        opened = queries.opened(actor=actor, now=now, dataset_id=pk, purpose=purpose, as_of=as_of)
    except queries.NoGrant as no:
        note_refusal(request, "dataset-records", no, object_type="catalogue.dataset", object_id=pk)
        openness = queries.openness(actor=actor, now=now, dataset_id=pk)
        return render(request, "data/no_records.html", _shut(row, purpose, openness), status=no.status)
    columns = opened.columns()
    tables = _tables(columns)
    asked = asking.asked(given, columns, tables)
    sort, show = given.get("sort", "")[:64], "map" if given.get("show") == "map" and opened.place else ""
    usual = {"purpose": purpose, "as_of": as_of, "sort": sort, "size": size if size != USUAL else None, "show": show}
    address = {name: value for name, value in (asked.given | usual).items() if value}
    context = _head(row, opened, columns) | {"asked": asked, "address": address, "size": size, "sizes": SIZES}
    context |= {"live": live, "live_streams": " ".join(live)}
    context |= _links(address, columns, asked.tree, opened) | {"sort": sort, "show": show, "purpose": purpose}
    if asked.errors:
        errors = {"title": _("Please look at these fields"), "fields": asked.errors}
        return render(request, "data/records.html", context | {"errors": errors, "lines": []}, status=422)
    try:
        found = queries.records_of(
            opened, where=asked.tree, sort=sort, after=unseal(given.get("after"), f"records-{pk}"), size=size
        )
    except Invalid as no:
        errors = {"title": no.message, "fields": [{"text": str(one.get("detail", ""))} for one in no.errors]}
        return render(request, "data/records.html", context | {"errors": errors, "lines": []}, status=no.status)
    noted = [one["id"] for one in found.rows if reads.is_kept(one)]
    reads.note(actor, "dataset-records", "records", noted, purpose=purpose, grants=found.grants)
    if not found.rows and found.restricted:  # none is an answer
        reads.note(actor, "dataset-records", "datasets", [pk], purpose=purpose, grants=found.grants)
    shown = [one for one in columns if one["rule"] != "absent"]
    names = {table: {one.code: one.name for one in rows} for table, rows in tables.items()}
    lines = [{"id": one["id"], "cells": showing.cells(shown, one, names)} for one in found.rows]
    context |= {
        "lines": lines, "counted": queries.counted(opened, asked.tree), "first": not given.get("after"),
        "next": "?" + urlencode(address | {"after": seal(found.after, f"records-{pk}")}, doseq=True)
        if found.after else "",
    }  # fmt: skip
    if show:
        context["map"] = showing.on_map(opened.place, found.rows, [_name(line) for line in lines])
    return render(request, "data/records.html", context)


@require_safe
@page()
def record(request: HttpRequest, pk: int, record: int) -> HttpResponse:
    """One record with what it said before, as far as that is open to me."""
    actor, now = request.actor, request.now  # type: ignore[attr-defined]
    purpose = asking.purpose_of(request.GET)
    row = queries.dataset(actor=actor, dataset_id=pk, now=now)
    opened = queries.opened(actor=actor, now=now, dataset_id=pk, purpose=purpose)
    found = queries.record(opened=opened, record_id=record)
    if reads.is_kept(found):
        reads.note(actor, "dataset-record", "records", [record], purpose=purpose, grants=opened.held.grant_ids)
    columns = opened.columns()
    shown = [one for one in columns if one["rule"] != "absent"]
    names = {table: {one.code: one.name for one in rows} for table, rows in _tables(columns).items()}
    states = [state | {"cells": showing.cells(shown, state, names)} for state in found["states"]]
    for newer, older in zip(states, states[1:], strict=False):
        for one, before in zip(newer["cells"], older["cells"], strict=True):
            one["changed"] = one["text"] != before["text"]
    cells = showing.cells(shown, found, names)
    context = _head(row, opened, columns) | {
        "record": found, "cells": cells, "states": states, "name": _name({"cells": cells}), "purpose": purpose,
        "back": reverse("dataset-records", args=[pk]) + (f"?{urlencode({'purpose': purpose})}" if purpose else ""),
    }
    if opened.place:
        context["map"] = showing.on_map(opened.place, [found], [context["name"]])
        context["placed"] = any(context["map"].values())
    return render(request, "data/record.html", context)


def _head(row: dict[str, Any], opened: queries.Opened, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "row": row, "opened": opened, "place": opened.place, "purposes": opened.held.purposes,
        "columns": [one for one in columns if one["rule"] != "absent"],
        "shut": [one["title"] or one["name"] for one in columns if one["rule"] == "absent"],
        "own": not opened.of_others, "as_of": opened.as_of,
    }


def _links(
    address: Mapping[str, Any], columns: Sequence[dict[str, Any]], tree: Mapping[str, Any], opened: queries.Opened
) -> dict[str, Any]:
    """Links of the page: how to sort by each column, to table and map, and away with a file."""
    rest = {name: value for name, value in address.items() if name != "sort"}
    for column in columns:
        here = address.get("sort", "").lstrip("-") == column["name"]
        up = here and not address["sort"].startswith("-")
        column["order"] = ("ascending" if up else "descending") if here else ""
        column["href"] = "?" + urlencode(rest | {"sort": f"-{column['name']}" if up else column["name"]}, doseq=True)
    plain = {name: value for name, value in address.items() if name != "show"}
    taken = {"where": json.dumps(tree, ensure_ascii=False) if tree else "", "purpose": address.get("purpose", "")}
    return {
        "sorts": [
            (sign + one["name"], f"{one['title'] or one['name']} {arrow}") for one in columns
            if one["sortable"] and one["rule"] != "absent" for sign, arrow in (("", "↑"), ("-", "↓"))
        ],
        "table_href": "?" + urlencode(plain, doseq=True),
        "map_href": "?" + urlencode(plain | {"show": "map"}, doseq=True),
        "taken": [(name, value) for name, value in taken.items() if value],
        "formats": [one for one in FORMATS if one[0] != "geojson" or opened.place],
        "needs_purpose": opened.restricted,
        "bulk": opened.takes_along,
    }


def _shut(row: dict[str, Any], purpose: str, openness: dict[str, Any]) -> dict[str, Any]:
    ask = reverse("dataset-request", args=[row["id"]]) if openness["may_ask"] and not openness["open"] else ""
    return {"row": row, "ask": ask, "purpose": purpose, "openness": openness}


def _tables(columns: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    wanted = sorted({one["codes"] for one in columns if one["codes"] and one["rule"] != "absent"})
    return {table: queries.codes(table) for table in wanted}


def _name(line: Mapping[str, Any]) -> str:
    """What a record is called on the map: its first texts."""
    texts = [cell["text"] for cell in line["cells"] if cell["text"] != showing.NOTHING]
    return " · ".join(texts[:2])


def _number(text: str | None) -> int | None:
    if text and not _NUMBER.fullmatch(text):
        raise Http404
    return int(text) if text else None


def _size(text: str | None) -> int:
    if text is not None and text not in map(str, SIZES):
        raise Http404
    return int(text) if text else USUAL
