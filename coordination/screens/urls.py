"""Which addresses show whole pages?"""

from django.urls import path
from django.views.generic import RedirectView

from coordination.screens import (
    departments,
    desk,
    engine,
    incidents,
    notices,
    offline,
    room,
    rosters,
    search,
    story,
    wall,
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="desk"), name="home"),
    path("desk/", desk.desk, name="desk"),
    path("desk/parts/<str:name>/", desk.part, name="desk-part"),
    path("incidents/", incidents.incident_list, name="incidents"),
    path("incidents/<int:pk>/", room.room, name="room"),
    path("incidents/<int:pk>/print/", room.printed, name="room-print"),
    path("incidents/<int:pk>/parts/<str:name>/", room.part, name="room-part"),
    path("incidents/<int:pk>/act/<str:name>/", room.act, name="incident-act"),
    path("incidents/<int:pk>/<str:tab>/", room.room, name="room-tab"),
    path("reports/new/", incidents.new_report, name="new-report"),
    path("reports/<int:pk>/", incidents.report, name="report"),
    path("reports/<int:pk>/open/", incidents.open_incident, name="open-incident"),
    path("reports/<int:pk>/act/<str:name>/", incidents.report_act, name="report-act"),
    path("attachments/<int:pk>/", incidents.attachment, name="attachment"),
    path("attachments/<int:pk>/picture/", incidents.picture, name="attachment-picture"),
    path("departments/", departments.departments, name="departments"),
    path("departments/<int:pk>/", departments.department, name="department"),
    path("departments/<int:pk>/act/<str:name>/", departments.act, name="department-act"),
    path("duty/", rosters.own, name="rosters"),
    path("duty/<int:pk>/", rosters.roster, name="roster"),
    path("duty/<int:pk>/act/<str:name>/", rosters.act, name="roster-act"),
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.read, name="notices-read"),
    path("search/", search.search, name="search"),
    path("engine/", engine.engine, name="engine-status"),
    path("story/", story.story, name="story"),
    path("story/<str:name>/", story.act, name="story-act"),
    path("wall/", wall.wall, name="wall"),
    path("sw.js", offline.worker, name="service-worker"),
    path("offline/", offline.page, name="offline"),
    path("wall/parts/<str:name>/", wall.part, name="wall-part"),
]
