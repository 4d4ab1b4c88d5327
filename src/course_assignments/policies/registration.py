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
        joined: Organization | None = None,
        email_owner: User | None = None,
    ) -> Decision: ...


@attrs.frozen
class RegistrationPolicy:
    """Allow registration if the organization of the key's batch allows it (rule 11).

    Newcomers join that organization, or another one that allows registration, too.

    >>> policy = RegistrationPolicy()
    """

    def evaluate(
        self,
        organization: Organization,
        newcomer: User,
        *,
        at: datetime,
        joined: Organization | None = None,
        email_owner: User | None = None,
    ) -> Decision:
        """Decide whether *newcomer* may register with a key of *organization*.

        *joined* is the organization that the newcomer names; by default *organization*.
        *email_owner* is the user who already has the newcomer's e-mail address, if any.
        """
        as_utc(at)
        validation.check_kind(organization, "organization", Organization)
        validation.check_kind(newcomer, "newcomer", User)
        own = organization if joined is None else joined
        validation.check_kind(own, "joined", Organization)
        validation.check_same(own.id, newcomer.organization_id or organization.id, "joined")
        if email_owner is not None:
            validation.check_kind(email_owner, "email_owner", User)
        found: list[reasons.Reason] = []
        if not organization.anonymous_registration:
            found.append(reasons.RegistrationDisabled())
        # "naming another is refused unless that one allows registration too"
        if own.id != organization.id and not own.anonymous_registration:
            found.append(reasons.RegistrationDisabled(own.id))
        if email_owner is not None:
            found.append(reasons.EmailTaken(newcomer.id))
        return Decision(found)
