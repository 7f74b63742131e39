"""Which addresses have the pages of the closed loop?"""

from django.urls import path

from coordination.instructions import views

urlpatterns = [
    path("instructions/", views.instructions, name="instructions"),
    path("incidents/<int:incident_id>/instructions/new", views.compose, name="compose"),
    path("incidents/<int:incident_id>/instructions/preview", views.preview, name="compose-preview"),
    path("instructions/<int:pk>/", views.instruction, name="instruction"),
    path("instructions/<int:pk>/edit", views.edit, name="instruction-edit"),
    path("instructions/<int:pk>/amend", views.amend, name="instruction-amend"),
    path("instructions/<int:pk>/versions", views.versions, name="instruction-versions"),
    path("instructions/<int:pk>/print", views.printed, name="instruction-print"),
    path("instructions/<int:pk>/part/<str:name>", views.part, name="instruction-part"),
    path("instructions/<int:pk>/discard/", views.discard, name="instruction-discard"),
    path("instructions/<int:pk>/restore/", views.restore, name="instruction-restore"),
    path("instructions/<int:pk>/<slug:name>/", views.act, {"subject": "instruction"}, name="instruction-act"),
    path("assignments/<int:pk>/<slug:name>/", views.act, {"subject": "assignment"}, name="assignment-act"),
    path("asks/<int:pk>/<slug:name>/", views.act, {"subject": "ask"}, name="ask-act"),
]
