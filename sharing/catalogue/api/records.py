"""What do other systems read and deliver of a dataset's records?"""

from __future__ import annotations

from typing import Any

from django.urls import path

from coordination.events import reads
from sharing.access.rest import Call, Page, Resource, lists, writes
from sharing.catalogue import actions, queries
from sharing.catalogue import serializers as shapes


def show_transfer(call: Call, made: Any) -> Any:
    """Return what the delivery did."""
    return queries.transfer_row(made)


class Records(Resource):
    """Records of a dataset."""

    resource = "records"
    restricted = True

    @lists("records_list", shapes.RecordShape, query=shapes.RecordFilters, summary="Records of a dataset")
    def get(self, call: Call) -> Page:
        """Current records that are open to me, each as far as a grant opens it; the Purpose header chooses grants."""
        found = queries.records(
            **call.who, **call.ids, **call.query, purpose=call.purpose, after=call.after, size=call.size
        )
        if not found.rows and found.restricted:
            about = [int(call.ids["dataset_id"])]
            reads.note(call.actor, "records_list", "datasets", about, purpose=call.purpose, grants=found.grants)
        return Page(found.rows, found.after, found.grants, found.glass)


class Transfers(Resource):
    """Deliveries of records."""

    resource = "records"

    @lists("transfers_list", shapes.TransferShape, summary="Transfers of a dataset")
    def get(self, call: Call) -> Page:
        """What was delivered, newest first; of my own department's datasets."""
        return Page(*queries.transfers(**call.who, **call.ids, after=call.after, size=call.size))

    @writes(
        "transfers_deliver", shapes.TransferShape, body=shapes.DeliveryBody, status=201, show=show_transfer,
        summary="Deliver records",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Deliver records of my own department's dataset: all of them are taken, or none."""
        return actions.deliver(**call.act, **call.ids, **call.body)


urlpatterns = [
    path("datasets/<str:dataset_id>/records", Records.as_view(), name="api-records"),
    path("datasets/<str:dataset_id>/transfers", Transfers.as_view(), name="api-transfers"),
]
