"""Which addresses have the pages of the catalogue?"""

from django.urls import path

from sharing.catalogue import views

urlpatterns = [
    path("data/", views.catalogue, name="data"),
    path("data/new/", views.new, name="data-new"),
    path("data/legal-bases/", views.legal_bases, name="legal-bases"),
    path("data/sharing/", views.sharing, name="sharing"),
    path("data/sharing/export/", views.export, name="sharing-export"),
    path("data/sharing/<int:pk>/", views.grant, name="grant"),
    path("data/sharing/<int:pk>/revoke/", views.revoke, name="grant-revoke"),
    path("data/<int:pk>/", views.entry, name="dataset"),
    path("data/<int:pk>/part/<str:name>/", views.part, name="dataset-part"),
    path("data/<int:pk>/edit/", views.edit, name="dataset-edit"),
    path("data/<int:pk>/schema/", views.add_schema, name="dataset-schema"),
    path("data/<int:pk>/act/<str:name>/", views.act, name="dataset-act"),
]
