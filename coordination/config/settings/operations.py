"""What do operators watch, and where is the backup?"""

import os
import tempfile
from pathlib import Path

from coordination.config.settings.environment import number, secret

# Whoever shows this token (Authorization: Bearer …) may read /health/deep and the metrics; empty: nobody by token.
MUSTER_METRICS_TOKEN = secret("MUSTER_METRICS_TOKEN")
# Where `manage.py metrics` listens: host:port, or unix:/path (then the folder's rights are the guard).
MUSTER_METRICS_ADDRESS = os.environ.get("MUSTER_METRICS_ADDRESS", "127.0.0.1:9464")

# A folder on another disk; empty: no backup. The key lies in a file elsewhere: with both lost, nothing can be read.
MUSTER_BACKUP_FOLDER = Path(os.environ["MUSTER_BACKUP_FOLDER"]) if os.environ.get("MUSTER_BACKUP_FOLDER") else None
MUSTER_BACKUP_KEY_FILE = (
    Path(os.environ["MUSTER_BACKUP_KEY_FILE"]) if os.environ.get("MUSTER_BACKUP_KEY_FILE") else None
)
MUSTER_BACKUP_EVERY = number("MUSTER_BACKUP_EVERY", default=10)  # seconds between two shipments of the log
MUSTER_BACKUP_HOUR = int(number("MUSTER_BACKUP_HOUR", default=2))  # of the day (UTC) from which a base is taken
# Of the day (UTC) from which the backup is restored for a trial, each night; empty: no drill.
_drill_hour = os.environ.get("MUSTER_DRILL_HOUR", "")
MUSTER_DRILL_HOUR = int(number("MUSTER_DRILL_HOUR", default=3)) if _drill_hour else None
# The embedded default's folder: its keys go into the backup.
INSTANCE = os.environ.get("MUSTER_INSTANCE", "")
# Where the log arrives before it is sealed; on this machine's own disk.
BACKUP_SPOOL = Path(os.environ.get("MUSTER_BACKUP_SPOOL") or Path(INSTANCE or tempfile.gettempdir()) / "backup-spool")
# The server to copy, where it is reached otherwise than the application reaches it (a pooler stands between).
BACKUP_DATABASE_URL = os.environ.get("MUSTER_BACKUP_DATABASE_URL", "")
