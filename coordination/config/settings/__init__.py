"""What is every part of Muster set to? One file a subject; only the environment differs between installations."""

from coordination.config.settings.api import *  # noqa: F403
from coordination.config.settings.background import *  # noqa: F403
from coordination.config.settings.base import *  # noqa: F403
from coordination.config.settings.data import *  # noqa: F403
from coordination.config.settings.messages import *  # noqa: F403
from coordination.config.settings.operations import *  # noqa: F403
from coordination.config.settings.security import *  # noqa: F403
from coordination.config.settings.sharing import *  # noqa: F403
from coordination.config.settings.signin import *  # noqa: F403
from coordination.config.settings.web import *  # noqa: F403
