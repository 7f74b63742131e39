"""What makes due deadlines fire, once each and in order?"""

from coordination.deadlines.engine.loop import run_forever as run_forever
from coordination.deadlines.engine.sweep import sweep as sweep
from coordination.deadlines.engine.tick import tick as tick
