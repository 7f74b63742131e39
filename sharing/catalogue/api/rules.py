"""What do other systems read and do about the rules that open a dataset by itself?"""

from __future__ import annotations

from typing import Any

from django.urls import path

from sharing.access.rest import Call, Page, Resource, act_view, lists, writes
from sharing.access.rest.paging import part
from sharing.catalogue import actions, queries
from sharing.catalogue import serializers as shapes


def show_rule(call: Call, changed: Any) -> Any:
    """Return the rule as it is now."""
    return queries.rule_row(changed, call.who["now"])


class Rules(Resource):
    """What taking part in incidents opens of a dataset."""

    resource = "share-rules"

    @lists("share_rules_list", shapes.RuleShape, summary="Rules of a dataset")
    def get(self, call: Call) -> Page:
        """Every rule, newest first; of my own department's datasets."""
        return part(queries.rules(**call.who, **call.ids), call.after, call.size)

    @writes(
        "share_rules_make", shapes.RuleShape, body=shapes.RuleBody, status=201, show=show_rule, summary="Make a rule",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Open a dataset by itself to whoever takes part; open incidents follow at once."""
        return actions.make_rule(**call.act, **call.ids, **call.body)


_RULE = "datasets/<str:dataset_id>/share-rules"
urlpatterns = [
    path(_RULE, Rules.as_view(), name="api-share-rules"),
    path(
        f"{_RULE}/<str:rule_id>/confirm",
        act_view(
            actions.confirm_rule, resource="share-rules", name="share_rules_confirm", answer=shapes.RuleShape,
            show=show_rule, text="Confirm a rule as the second person.",
        ),
        name="api-share-rule-confirm",
    ),
    path(
        f"{_RULE}/<str:rule_id>/end",
        act_view(
            actions.end_rule, resource="share-rules", name="share_rules_end", answer=shapes.RuleShape,
            body=shapes.EndRuleBody, show=show_rule, text="End a rule; what it opened is closed at once.",
        ),
        name="api-share-rule-end",
    ),
]  # fmt: skip
