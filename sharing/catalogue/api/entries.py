"""What do other systems and scripts read and do about codes, datasets and legal bases?"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from coordination.events.refused import NotFound
from sharing.access.rest import Call, Page, Resource, act_view, lists, shows, writes
from sharing.access.rest.paging import part
from sharing.access.rest.reading import LdJson, StrictJson
from sharing.access.rest.rendering import dump
from sharing.catalogue import actions, dcat, queries
from sharing.catalogue import serializers as shapes


class Tables(Resource):
    """The code tables."""

    resource = "codes"

    @lists("codes_tables", shapes.TableShape, summary="Code tables")
    def get(self, call: Call) -> Any:
        """Names of all tables."""
        return [{"table": name} for name in queries.table_names()]


class Codes(Resource):
    """The codes of one table."""

    resource = "codes"

    @lists("codes_list", shapes.CodeShape, query=shapes.CodeFilters, summary="Codes of a table")
    def get(self, call: Call) -> Page:
        """Codes in their order."""
        rows = queries.codes(call.ids["table"], all=call.query.get("all", False))
        if not rows:
            raise NotFound(_("There is no such table."))
        return part(rows, call.after, call.size)


def show_dataset(call: Call, changed: Any) -> Any:
    """Return the entry of the address, or the one just made, as it is now."""
    return queries.dataset(**call.who, dataset_id=call.ids.get("dataset_id") or changed.pk)


def show_schema(call: Call, made: Any) -> Any:
    """Return the schema as it was kept."""
    return queries.schema_row(made)


def show_basis(call: Call, made: Any) -> Any:
    """Return the legal basis as it was kept."""
    return queries.basis_row(made)


class Datasets(Resource):
    """The catalogue."""

    resource = "datasets"
    noted_from = 4  # what an entry of class 3 says is open to all; only its data are not

    @lists("datasets_list", shapes.DatasetRowShape, query=shapes.DatasetFilters, summary="Datasets")
    def get(self, call: Call) -> Page:
        """Entries of the catalogue; drafts and class 4 only of my own department."""
        return Page(*queries.datasets(**call.who, **call.query, after=call.after, size=call.size))

    @writes(
        "datasets_draft", shapes.DatasetShape, body=shapes.DraftDatasetBody, status=201, show=show_dataset,
        place=lambda done: f"/api/v1/datasets/{done['id']}", summary="Draft a dataset",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Begin an entry of my own department, as one of its data stewards."""
        return actions.draft(**call.act, **call.body)


class Dataset(Resource):
    """One entry of the catalogue."""

    resource = "datasets"
    noted_from = 4

    @shows("datasets_show", shapes.DatasetShape, summary="One dataset")
    def get(self, call: Call) -> Any:
        """All that the entry says, with its schema and what may be done with it now."""
        return queries.dataset(**call.who, dataset_id=call.ids["dataset_id"])

    @writes(
        "datasets_change", shapes.DatasetShape, body=shapes.ChangeDatasetBody, decides=True, show=show_dataset,
        summary="Change a dataset",
    )  # fmt: skip
    def patch(self, call: Call) -> Any:
        """Change what the entry says; what is not sent stays."""
        return actions.change(**call.act, **call.ids, if_version=call.if_version, **call.body)


class Schemas(Resource):
    """Schemas of a dataset."""

    resource = "datasets"

    @lists("datasets_schemas", shapes.SchemaShape, summary="Schemas of a dataset")
    def get(self, call: Call) -> Page:
        """Every schema the dataset ever had, newest first."""
        return part(queries.schemas(**call.who, **call.ids), call.after, call.size)

    @writes(
        "datasets_add_schema", shapes.SchemaShape, body=shapes.SchemaBody, decides=True, status=201, show=show_schema,
        summary="Add a schema",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Add the next schema and make it the current one."""
        return actions.add_schema(**call.act, **call.ids, if_version=call.if_version, **call.body)


class LegalBases(Resource):
    """Legal bases."""

    resource = "datasets"

    @lists("legal_bases_list", shapes.LegalBasisShape, summary="Legal bases")
    def get(self, call: Call) -> Page:
        """Every legal basis, by instrument and article."""
        return part(queries.legal_bases(**call.who), call.after, call.size)

    @writes(
        "legal_bases_add", shapes.LegalBasisShape, body=shapes.LegalBasisBody, status=201, show=show_basis,
        summary="Add a legal basis",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Enter one article of one instrument."""
        return actions.add_legal_basis(**call.act, **call.body)


class Export(Resource):
    """The catalogue as a document."""

    resource = "datasets"

    @shows("datasets_export", None, query=shapes.ExportFilters, media=dcat.MEDIA, summary="Export as DCAT")
    def get(self, call: Call) -> Any:
        """The entries I may know of as DCAT 3 in JSON-LD; those of class 4 stay out, whoever asks."""
        found = queries.export(**call.who, **call.query)
        response = HttpResponse(dump(found), content_type=dcat.MEDIA)
        response["Content-Disposition"] = 'attachment; filename="catalogue.jsonld"'
        return response


class Import(Resource):
    """A document for the catalogue."""

    resource = "datasets"
    parser_classes = (StrictJson, LdJson)

    @writes("datasets_import", shapes.ImportedShape, body=shapes.DcatBody, summary="Import from DCAT")
    def post(self, call: Call) -> Any:
        """Take in entries of my own department, all or none: new codes are drafted, known ones changed."""
        found = actions.import_catalogue(**call.act, document=call.body)
        return found if found is not None else HttpResponse(status=204)


def _move(act: Any, name: str) -> Any:
    return act_view(
        act, resource="datasets", name=f"datasets_{name}", answer=shapes.DatasetShape, show=show_dataset, decides=True
    )


urlpatterns = [
    path("codes", Tables.as_view(), name="api-code-tables"),
    path("codes/<str:table>", Codes.as_view(), name="api-codes"),
    path("datasets", Datasets.as_view(), name="api-datasets"),
    path("datasets/export", Export.as_view(), name="api-datasets-export"),
    path("datasets/import", Import.as_view(), name="api-datasets-import"),
    path("datasets/<str:dataset_id>", Dataset.as_view(), name="api-dataset"),
    path("datasets/<str:dataset_id>/publish", _move(actions.publish, "publish"), name="api-dataset-publish"),
    path("datasets/<str:dataset_id>/confirm", _move(actions.confirm, "confirm"), name="api-dataset-confirm"),
    path("datasets/<str:dataset_id>/retire", _move(actions.retire, "retire"), name="api-dataset-retire"),
    path("datasets/<str:dataset_id>/schemas", Schemas.as_view(), name="api-dataset-schemas"),
    path("legal-bases", LegalBases.as_view(), name="api-legal-bases"),
]
