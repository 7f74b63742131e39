"""How do other systems and scripts speak to Muster?

An ``api.py`` declares addresses as `Resource` classes whose methods are made by `lists`, `shows` and `writes`; each
method makes one call to a query or an action.
"""

from sharing.access.rest.acts import act_view as act_view
from sharing.access.rest.operation import Call as Call
from sharing.access.rest.paging import Page as Page
from sharing.access.rest.resource import Resource as Resource
from sharing.access.rest.resource import lists as lists
from sharing.access.rest.resource import shows as shows
from sharing.access.rest.resource import writes as writes
from sharing.access.rest.shapes import Id as Id
from sharing.access.rest.shapes import Latitude as Latitude
from sharing.access.rest.shapes import Longitude as Longitude
from sharing.access.rest.shapes import Moment as Moment
from sharing.access.rest.shapes import Shape as Shape
from sharing.access.rest.shapes import Text as Text
from sharing.access.rest.shapes import Whole as Whole
from sharing.access.rest.shapes import Yes as Yes
