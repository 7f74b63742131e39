"""Which addresses have the pages of the catalogue?"""

from django.urls import path

from sharing.catalogue import views

urlpatterns = [
    path("data/", views.catalogue, name="data"),
    path("data/new/", views.new, name="data-new"),
    path("data/legal-bases/", views.legal_bases, name="legal-bases"),
    path("data/requests/", views.requests, name="share-requests"),
    path("data/requests/<int:pk>/", views.request, name="share-request"),
    path("data/requests/<int:pk>/act/<str:name>/", views.request_act, name="share-request-act"),
    path("data/agreements/", views.agreements, name="agreements"),
    path("data/agreements/<int:pk>/", views.agreement, name="agreement"),
    path("data/agreements/<int:pk>/act/<str:name>/", views.agreement_act, name="agreement-act"),
    path("data/<int:pk>/request/", views.ask, name="dataset-request"),
    path("data/<int:pk>/give/", views.give, name="dataset-give"),
    path("data/<int:pk>/offer/", views.offer, name="dataset-offer"),
    path("data/explain/", views.explain, name="data-explain"),
    path("data/sharing/", views.sharing, name="sharing"),
    path("data/sharing/export/", views.export, name="sharing-export"),
    path("data/sharing/<int:pk>/", views.grant, name="grant"),
    path("data/sharing/<int:pk>/revoke/", views.revoke, name="grant-revoke"),
    path("data/<int:pk>/", views.entry, name="dataset"),
    path("data/<int:pk>/part/<str:name>/", views.part, name="dataset-part"),
    path("data/<int:pk>/edit/", views.edit, name="dataset-edit"),
    path("data/<int:pk>/schema/", views.add_schema, name="dataset-schema"),
    path("data/<int:pk>/rules/new/", views.new_rule, name="dataset-rule-new"),
    path("data/<int:pk>/rules/<int:rule_id>/confirm/", views.confirm_rule, name="dataset-rule-confirm"),
    path("data/<int:pk>/rules/<int:rule_id>/end/", views.end_rule, name="dataset-rule-end"),
    path("data/<int:pk>/act/<str:name>/", views.act, name="dataset-act"),
    path("data/<int:pk>/records/", views.records, name="dataset-records"),
    path("data/<int:pk>/records/<int:record>/", views.record, name="dataset-record"),
    path("data/break-glass/", views.glasses, name="break-glass"),
    path("data/break-glass/new/", views.new_glass, name="break-glass-new"),
    path("data/break-glass/<int:glass_id>/", views.glass, name="break-glass-one"),
    path("data/break-glass/<int:glass_id>/act/<str:name>/", views.glass_act, name="break-glass-act"),
    path("data/break-glass/proposals/<int:proposal_id>/settle/", views.proposal_act, name="rule-proposal-settle"),
]
