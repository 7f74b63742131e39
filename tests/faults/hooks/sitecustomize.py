"""Which tasks do workers know in the tests of faults alone? Python imports this at its start where its path leads here.

Nothing of Muster knows it: a worker that is started without this folder on its path has none of them.
"""

import os

if os.environ.get("MUSTER_PROCESS") == "worker":
    import time

    from celery import shared_task

    @shared_task(name="faults.abort", queue="normal")
    def abort() -> None:
        """Leave a line that it was tried, and end this process as a broken library would."""
        with open(os.path.join(os.environ["MUSTER_INSTANCE"], "aborted"), "a") as file:
            file.write("tried\n")
        os.abort()

    @shared_task(name="faults.stick", queue="normal")
    def stick() -> None:
        """Leave the connection within a transaction, and lose it, as a time limit in a bad moment does."""
        from django.db import connection, transaction

        transaction.atomic().__enter__()
        connection.close()

    @shared_task(name="faults.work", queue="bulk")
    def work(seconds: float) -> None:
        """Keep this process busy."""
        time.sleep(seconds)
