"""By which ways do messages leave this installation?"""

import os

from coordination.config.settings.environment import PROCESS, flag, number, secret, words

# Mail: an SMTP server, or a folder that takes each mail as a file (demo); without either there is no mail channel.
EMAIL_HOST = os.environ.get("MUSTER_SMTP_HOST", "")
EMAIL_PORT = int(number("MUSTER_SMTP_PORT", default=587))
EMAIL_HOST_USER = os.environ.get("MUSTER_SMTP_USER", "")
EMAIL_HOST_PASSWORD = secret("MUSTER_SMTP_PASSWORD")
EMAIL_USE_TLS = flag("MUSTER_SMTP_TLS", default=True)
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = os.environ.get("MUSTER_MAIL_FOLDER") or None
EMAIL_BACKEND = (
    "django.core.mail.backends.filebased.EmailBackend"
    if EMAIL_FILE_PATH
    else "django.core.mail.backends.smtp.EmailBackend"
)
DEFAULT_FROM_EMAIL = os.environ.get("MUSTER_MAIL_FROM", "muster@localhost")
MUSTER_EMAIL = bool(EMAIL_HOST or EMAIL_FILE_PATH) or PROCESS == "test"

# SMS: a plain HTTP gateway (`manage.py sms_gateway` is one for demo and tests); empty: no SMS channel.
MUSTER_SMS_URL = os.environ.get("MUSTER_SMS_URL", "")
MUSTER_SMS_TOKEN = secret("MUSTER_SMS_TOKEN")

# Partners inside our own walls that webhooks may call all the same (an intranet), one by one: "host" may lead to
# private addresses, "host=network" there; whole networks are opened to nobody.
MUSTER_OUTBOUND_ALLOWED = words("MUSTER_OUTBOUND_ALLOWED", default=[])

# The address that links in messages begin with; empty: no links.
MUSTER_PUBLIC_URL = os.environ.get("MUSTER_PUBLIC_URL", "")

# Called by the watchdog as long as all is well; whoever stops hearing from us raises the alarm outside.
MUSTER_DEADMAN_URL = os.environ.get("MUSTER_DEADMAN_URL", "")
