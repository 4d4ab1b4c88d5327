"""May a newcomer register with a key? Rule 11."""

from datetime import datetime
from typing import Protocol

import attrs

from course_assignments import reasons, validation
from course_assignments.decisions import Decision
from course_assignments.entities.catalog import Organization
from course_assignments.entities.people import User
from course_assignments.time.datetimes import as_utc


class RegistrationRule(Protocol):
    """Protocol for a custom `RegistrationPolicy`."""

    def evaluate(
        self,
        organization: Organization,
        newcomer: User,
        /,
        *,
        at: datetime,
        email_owner: User | None = None,
    ) -> Decision: ...


@attrs.frozen
class RegistrationPolicy:
    """Allow registration if the organization of the key's batch allows it (rule 11).

    >>> policy = RegistrationPolicy()
    """

    def evaluate(
        self,
        organization: Organization,
        newcomer: User,
        *,
        at: datetime,
        email_owner: User | None = None,
    ) -> Decision:
        """Decide whether *newcomer* may register with a key of *organization*.

        *email_owner* is the user who already has the newcomer's e-mail address, if any.
        """
        as_utc(at)
        validation.check_kind(organization, "organization", Organization)
        validation.check_kind(newcomer, "newcomer", User)
        if email_owner is not None:
            validation.check_kind(email_owner, "email_owner", User)
        found: list[reasons.Reason] = []
        if not organization.anonymous_registration:
            found.append(reasons.RegistrationDisabled())
        if email_owner is not None:
            found.append(reasons.EmailTaken(newcomer.id))
        return Decision(found)
