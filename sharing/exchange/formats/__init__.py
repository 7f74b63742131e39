"""In which formats does data come in and go out? One file each, named here."""

from sharing.exchange.formats import csv, geojson, json, xlsx
from sharing.exchange.formats.sheet import Format

FORMATS: dict[str, Format] = {one.name: one for one in (csv.FORMAT, xlsx.FORMAT, json.FORMAT, geojson.FORMAT)}
READ = tuple(name for name, one in FORMATS.items() if one.read is not None)
"""Formats in which records can be delivered."""
