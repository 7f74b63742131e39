"""How does a message go out by mail? Through Django's mail backend (console, file, SMTP)."""

from __future__ import annotations

import hashlib
import smtplib
from email.utils import formatdate

from django.conf import settings
from django.core.mail import EmailMessage

from coordination.notify.channels.base import Answer, Letter

RESEND_UNKNOWN = True


def is_set_up() -> bool:
    """Whether mail is switched on: ``MUSTER_EMAIL`` (default yes)."""
    return bool(getattr(settings, "MUSTER_EMAIL", True) and settings.EMAIL_BACKEND)


def send(letter: Letter) -> Answer:
    """Send one mail; its Message-ID is the same for each attempt, so that a doubled one is shown once."""
    reference = f"<{hashlib.sha256(letter.key.encode()).hexdigest()[:40]}@{_domain()}>"
    mail = EmailMessage(
        subject=" ".join(letter.subject.split())[:200],
        body="\n".join(letter.lines) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[letter.address],
        headers={
            "Message-ID": reference,
            "Date": formatdate(letter.at.timestamp()),
            "Auto-Submitted": "auto-generated",
        },
    )
    try:
        accepted = mail.send(fail_silently=False)
    except smtplib.SMTPRecipientsRefused as error:
        return Answer("refused", error=f"recipient refused: {error}"[:300])
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        return Answer("unknown", reference, f"no answer: {error}"[:300])
    except (smtplib.SMTPException, OSError) as error:
        return Answer("failed", error=f"{type(error).__name__}: {error}"[:300])
    except ValueError as error:
        return Answer("refused", error=f"bad address: {error}"[:300])
    return Answer("sent", reference) if accepted else Answer("failed", error="nobody accepted the mail")


def ask(letter: Letter, reference: str) -> Answer:
    """Mail servers do not tell."""
    return Answer("unknown", reference)


def _domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(" >") or "localhost"
