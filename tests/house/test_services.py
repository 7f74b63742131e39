"""Do tests run on the real thing, each process on its own?"""

import pytest
from django.db import connection

from tests import services


@pytest.mark.django_db
def test_database_is_a_private_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_database(), current_setting('server_version_num')::int, current_setting('fsync')"
        )
        name, version, fsync = cursor.fetchone()
    assert name == services.DATABASE_NAME
    assert version >= 150000
    assert fsync == "on"
