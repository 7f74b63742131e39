"""What do operators watch, and where is the backup?"""

import os
import tempfile
from pathlib import Path

from coordination.config.settings.environment import number, secret, words

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

# The log's anchors are signed with it: 32 bytes, as hexadecimal digits or base64; empty: no anchors. Former ones: the
# public keys (manage.py verify_log --show-key) of those that signed before.
MUSTER_ANCHOR_KEY = secret("MUSTER_ANCHOR_KEY")
MUSTER_ANCHOR_FORMER_KEYS = words("MUSTER_ANCHOR_FORMER_KEYS", default=[])
# Who keeps the anchors outside of the database: a file that is only appended to (better another machine's disk), a
# receiver over HTTPS (Standard Webhooks) and its secret, a syslog server (host:port, UDP; tcp:host:port).
MUSTER_WITNESS_FILE = os.environ.get("MUSTER_WITNESS_FILE", "")
MUSTER_WITNESS_URL = os.environ.get("MUSTER_WITNESS_URL", "")
MUSTER_WITNESS_SECRET = secret("MUSTER_WITNESS_SECRET")
MUSTER_WITNESS_SYSLOG = os.environ.get("MUSTER_WITNESS_SYSLOG", "")
