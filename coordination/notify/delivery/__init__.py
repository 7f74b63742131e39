"""How does what waits in the outbox get out, once, whatever dies meanwhile?"""

from coordination.notify.delivery.sender import Sender as Sender
from coordination.notify.delivery.sender import next_due as next_due
from coordination.notify.delivery.sender import run_once as run_once
