"""Who is who, who is on duty and who leads what, for other systems?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import path

from accounts import actions, queries
from coordination.screens.api import shapes
from sharing.access.rest import Call, Page, Resource, act_view, lists, shows, writes
from sharing.access.rest.paging import part


class Departments(Resource):
    """All departments, in tree order."""

    resource = "departments"

    @lists("departments_list", shapes.DepartmentShape, query=shapes.DepartmentFilters, summary="Departments")
    def get(self, call: Call) -> Page:
        """Departments in tree order."""
        query = dict(call.query)
        return part(queries.departments(text=query.pop("q", ""), **query), call.after, call.size)

    @writes(
        "departments_add", shapes.DepartmentShape, body=shapes.NewDepartment, status=201, summary="Add a department",
        place=lambda done: f"/api/v1/departments/{done['id']}",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Add a department below one that I administer."""
        return actions.add_department(**call.act, **call.body)


class Department(Resource):
    """One department."""

    resource = "departments"

    @shows("departments_show", shapes.DepartmentShape, summary="One department")
    def get(self, call: Call) -> Any:
        """One department."""
        return queries.department(call.ids["department_id"])

    @writes(
        "departments_edit", shapes.DepartmentShape, body=shapes.DepartmentChange, decides=True,
        summary="Change a department",
    )  # fmt: skip
    def patch(self, call: Call) -> Any:
        """Change names, region or contact; what is not sent stays."""
        return actions.edit_department(**call.act, **call.ids, if_version=call.if_version, **call.body)


class Roster(Resource):
    """The turns of duty of a department."""

    resource = "duty"
    people = True

    @lists("departments_roster", shapes.ShiftShape, query=shapes.Period, summary="Roster of a department")
    def get(self, call: Call) -> Page:
        """Turns of duty that touch the period, oldest first."""
        begin = call.query.get("begin", call.now)
        end = call.query.get("end", begin + timedelta(days=14))
        queries.department(call.ids["department_id"])
        return part(queries.roster(call.actor, call.ids["department_id"], begin, end), call.after, call.size)

    @writes("shifts_plan", shapes.ShiftShape, body=shapes.ShiftPlan, status=201, summary="Plan a turn of duty")
    def post(self, call: Call) -> Any:
        """Plan a turn of duty; turns of one department do not overlap."""
        return actions.plan_shift(**call.act, **call.ids, **call.body)


class Responsibilities(Resource):
    """What a department leads and supports."""

    resource = "responsibilities"

    @lists("departments_responsibilities", shapes.ResponsibilityShape, summary="Responsibilities of a department")
    def get(self, call: Call) -> Page:
        """Its responsibilities."""
        queries.department(call.ids["department_id"])
        return part(queries.responsibilities_of(call.ids["department_id"]), call.after, call.size)


class Duty(Resource):
    """Who answers for departments now."""

    resource = "duty"
    people = True

    @lists("duty_list", shapes.OnDutyShape, query=shapes.DutyFilters, summary="Who is on duty")
    def get(self, call: Call) -> Page:
        """People on duty by department: the shift, its deputy, or the standing duty officers."""
        at = call.query.get("at", call.now)
        wanted = [call.query["department"]] if "department" in call.query else None
        page = part([row.pk for row in queries.departments(ids=wanted)], call.after, call.size)
        people = queries.on_duty_many(page.items, at)
        return Page([{"department": pk, "people": people[pk]} for pk in page.items], page.after)


class Leads(Resource):
    """Who leads an incident of a kind."""

    resource = "responsibilities"

    @lists("responsibilities_leads", shapes.ResponsibilityShape, query=shapes.CaseFilters, summary="Who leads what")
    def get(self, call: Call) -> Page:
        """Responsibilities to lead that match, the most specific first."""
        query = call.query
        rows = queries.leads_for(query.get("duty"), query["incident_type"], query.get("grade"), query.get("area", ""))
        return part(rows, call.after, call.size)


class Gaps(Resource):
    """What nobody leads."""

    resource = "responsibilities"

    @lists("responsibilities_gaps", shapes.CaseShape, query=shapes.CaseFilters, summary="What nobody leads")
    def get(self, call: Call) -> Page:
        """Duties that nobody leads for this kind of incident."""
        return part(queries.gaps(**_cells(call)), call.after, call.size)


class Overlaps(Resource):
    """What several lead."""

    resource = "responsibilities"

    @lists("responsibilities_overlaps", shapes.CaseShape, query=shapes.CaseFilters, summary="What several lead")
    def get(self, call: Call) -> Page:
        """Duties that several lead with equal right for this kind of incident."""
        return part(queries.overlaps(**_cells(call)), call.after, call.size)


def _cells(call: Call) -> dict[str, Any]:
    query = call.query
    cells: dict[str, Any] = {"incident_types": [query["incident_type"]], "areas": [query.get("area", "")]}
    if "duty" in query:
        cells["duties"] = [query["duty"]]
    if "grade" in query:
        cells["grades"] = [query["grade"]]
    return cells


def _shift(act: Any, name: str, body: Any = None, **given: Any) -> Any:
    return act_view(
        act,
        resource="duty",
        name=f"shifts_{name}",
        body=body,
        **({"answer": shapes.ShiftShape, "versioned": True} | given),
    )


_SHIFTS: dict[str, Any] = {
    "assign": _shift(actions.assign_shift, "assign", shapes.ShiftPeople, decides=True),
    "deputy": _shift(actions.set_deputy, "deputy", shapes.DeputyBody),
    "absence": _shift(actions.mark_absent, "absence", shapes.AbsenceBody),
    "take-over": _shift(actions.take_over, "take_over", shapes.TakeOverBody),
    "note": _shift(actions.leave_note, "note", shapes.NoteBody),
    "remove": _shift(actions.remove_shift, "remove", answer=None),
}

urlpatterns = [
    *[path(f"shifts/<str:shift_id>/{word}", view, name=f"api-shift-{word}") for word, view in _SHIFTS.items()],
    path(
        "departments/<str:department_id>/move",
        act_view(
            actions.move_department,
            resource="departments",
            name="departments_move",
            answer=shapes.DepartmentShape,
            body=shapes.MoveBody,
            decides=True,
        ),
        name="api-department-move",
    ),
    path(
        "departments/<str:department_id>/close",
        act_view(
            actions.close_department,
            resource="departments",
            name="departments_close",
            answer=shapes.DepartmentShape,
            decides=True,
        ),
        name="api-department-close",
    ),
    path("departments", Departments.as_view(), name="api-departments"),
    path("departments/<str:department_id>", Department.as_view(), name="api-department"),
    path("departments/<str:department_id>/roster", Roster.as_view(), name="api-department-roster"),
    path(
        "departments/<str:department_id>/responsibilities",
        Responsibilities.as_view(),
        name="api-department-responsibilities",
    ),
    path("duty", Duty.as_view(), name="api-duty"),
    path("responsibilities", Leads.as_view(), name="api-responsibilities"),
    path("responsibilities/gaps", Gaps.as_view(), name="api-responsibility-gaps"),
    path("responsibilities/overlaps", Overlaps.as_view(), name="api-responsibility-overlaps"),
]
