"""By which ways can people and systems be reached? One file each, listed here by name."""

from __future__ import annotations

from typing import cast

from coordination.notify.channels import email, in_app, sms, webhook
from coordination.notify.channels.base import Answer as Answer
from coordination.notify.channels.base import Channel
from coordination.notify.channels.base import Letter as Letter

_FILES = (in_app, email, sms, webhook)

CHANNELS: dict[str, Channel] = {file.__name__.rpartition(".")[2]: cast(Channel, file) for file in _FILES}


class UnknownChannelError(LookupError):
    """A delivery names a channel for which there is no file."""


def channel(name: str) -> Channel:
    """The channel of that name; UnknownChannelError where there is none."""
    try:
        return CHANNELS[name]
    except KeyError:
        raise UnknownChannelError(name) from None


def is_set_up(name: str) -> bool:
    """Whether this installation has that channel."""
    return name in CHANNELS and CHANNELS[name].is_set_up()
