"""How does a person see an instruction and act on it?"""

from coordination.instructions.views.act import act as act
from coordination.instructions.views.compose import amend as amend
from coordination.instructions.views.compose import compose as compose
from coordination.instructions.views.compose import edit as edit
from coordination.instructions.views.compose import preview as preview
from coordination.instructions.views.discarding import discard as discard
from coordination.instructions.views.discarding import restore as restore
from coordination.instructions.views.listing import instructions as instructions
from coordination.instructions.views.page import instruction as instruction
from coordination.instructions.views.page import part as part
from coordination.instructions.views.page import printed as printed
from coordination.instructions.views.page import versions as versions
