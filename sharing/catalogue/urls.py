"""Which addresses have the pages of the catalogue?"""

from django.urls import path

from sharing.catalogue import views

urlpatterns = [
    path("data/", views.catalogue, name="data"),
    path("data/new/", views.new, name="data-new"),
    path("data/legal-bases/", views.legal_bases, name="legal-bases"),
    path("data/<int:pk>/", views.entry, name="dataset"),
    path("data/<int:pk>/edit/", views.edit, name="dataset-edit"),
    path("data/<int:pk>/schema/", views.add_schema, name="dataset-schema"),
    path("data/<int:pk>/rules/new/", views.new_rule, name="dataset-rule-new"),
    path("data/<int:pk>/rules/<int:rule_id>/confirm/", views.confirm_rule, name="dataset-rule-confirm"),
    path("data/<int:pk>/rules/<int:rule_id>/end/", views.end_rule, name="dataset-rule-end"),
    path("data/<int:pk>/act/<str:name>/", views.act, name="dataset-act"),
]
