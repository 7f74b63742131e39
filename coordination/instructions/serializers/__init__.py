"""What shapes do instructions, assignments and asks have on their way in and out?"""

from coordination.instructions.serializers.answers import AskShape as AskShape
from coordination.instructions.serializers.answers import AssignmentShape as AssignmentShape
from coordination.instructions.serializers.answers import BurdenShape as BurdenShape
from coordination.instructions.serializers.answers import ConflictShape as ConflictShape
from coordination.instructions.serializers.answers import DeadlineShape as DeadlineShape
from coordination.instructions.serializers.answers import InstructionRowShape as InstructionRowShape
from coordination.instructions.serializers.answers import InstructionShape as InstructionShape
from coordination.instructions.serializers.answers import LedgerShape as LedgerShape
from coordination.instructions.serializers.answers import RungShape as RungShape
from coordination.instructions.serializers.answers import TransitionShape as TransitionShape
from coordination.instructions.serializers.answers import VersionShape as VersionShape
from coordination.instructions.serializers.bodies import AssignmentFilters as AssignmentFilters
from coordination.instructions.serializers.bodies import InstructionFilters as InstructionFilters
from coordination.instructions.serializers.bodies import body_of as body_of
