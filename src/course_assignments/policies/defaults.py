"""The documented numbers and roles, each under the sentence it comes from.

They are only the defaults of the policies: a host that has other rules hands in policies with other
settings.
"""

from datetime import timedelta
from typing import Final

from course_assignments.entities.enums import Role
from course_assignments.time.durations import Months

#: "assignments expire 180 days after creation unless the organization or course profile specifies a
#: shorter maximum" (rule 1)
MAXIMUM_ACCESS: Final = timedelta(days=180)

#: "by default, this field is set to 6 months" (rule 1)
DEFAULT_ACCESS: Final = Months(6)

#: "only within 24 hours of creation and only if no labs have been launched" (rule 3); support is
#: asked "after 24 h" (rule 4), so exactly 24:00:00 still belongs to the window
CANCELLATION_WINDOW: Final = timedelta(hours=24)

#: "the five most relevant" on a dashboard (rule 17)
DASHBOARD_SIZE: Final = 5

#: "good for five minutes" (rule 17)
DASHBOARD_FRESHNESS: Final = timedelta(minutes=5)

#: "creating assignments takes one of the roles Company Training Manager, Enrollment Manager,
#: Operations Manager, Sales Manager" (rule 21)
ASSIGNING_ROLES: Final = (
    Role.COMPANY_TRAINING_MANAGER,
    Role.ENROLLMENT_MANAGER,
    Role.OPERATIONS_MANAGER,
    Role.SALES_MANAGER,
)

#: "keys take Operations Manager" (rule 21)
KEY_ROLES: Final = (Role.OPERATIONS_MANAGER,)

#: "after 24 h and no labs launched, ask support" (rule 4)
SUPPORT_ROLES: Final = (Role.SUPPORT,)
