"""How is a department or a person named inside something else?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest.shapes import Shape


class DepartmentRef(Shape):
    """A department, in short."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    short = serializers.CharField()
    kind = serializers.CharField()


class PersonRef(Shape):
    """A person, in short."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class AsOf(Shape):
    """The place in a stream at which something was read: what comes after it is news."""

    stream = serializers.CharField()
    epoch = serializers.IntegerField()
    seq = serializers.IntegerField()
