"""Which pages has the room where data comes in and goes out?"""

from sharing.exchange.views.delivering import deliver as deliver
from sharing.exchange.views.downloading import download as download
