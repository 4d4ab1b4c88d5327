"""Who buys, what is taught and who learns, looked up by a part of the name among other things."""

import attrs

from course_assignments.entities.catalog import Course, Organization
from course_assignments.entities.people import User
from course_assignments.queries.base import (
    Parts,
    Query,
    Where,
    containing,
    equal_to,
    flag_or_none,
    id_or_none,
    text_or_none,
)


@attrs.frozen(kw_only=True)
class OrganizationQuery(Query[Organization]):
    """Organizations by id.

    Attributes:
        name: A part of the name, in any case and composition.
        parent_id: The organization right above them.

    Example:
        >>> OrganizationQuery(name="ACME").matches(Organization(id="o-1", name="The Acme Company"))
        True
    """

    kind = Organization

    name: str | None = text_or_none()
    parent_id: str | None = id_or_none()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return equal_to(parent_id=self.parent_id)

    def parts(self) -> Parts:
        """Return the fields that are searched, each with the folded text that it has to contain."""
        return containing(name=self.name)


@attrs.frozen(kw_only=True)
class CourseQuery(Query[Course]):
    """Courses by id.

    Attributes:
        name: A part of the name, in any case and composition.
        archived: Only those that are archived, or only those that are not.

    Example:
        >>> CourseQuery(name="PYTH", archived=False).matches(Course(id="py", name="Python"))
        True
    """

    kind = Course

    name: str | None = text_or_none()
    archived: bool | None = flag_or_none()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return equal_to(archived=self.archived)

    def parts(self) -> Parts:
        """Return the fields that are searched, each with the folded text that it has to contain."""
        return containing(name=self.name)


@attrs.frozen(kw_only=True)
class UserQuery(Query[User]):
    """Users by id.

    Attributes:
        name: A part of the name, in any case and composition.
        email: The whole e-mail address, in any case and composition.
        organization_id: The organization they learn for now.

    Example:
        >>> ada = User(id="ada", name="Ada Lovelace", email="ada@example.org")
        >>> UserQuery(email="ADA@example.org", name="love").matches(ada)
        True
    """

    kind = User

    name: str | None = text_or_none()
    email: str | None = text_or_none()
    organization_id: str | None = id_or_none()

    def where(self) -> Where:
        """Return the fields that are narrowed, each with the values that fit."""
        return equal_to(folded_email=self.email, organization_id=self.organization_id)

    def parts(self) -> Parts:
        """Return the fields that are searched, each with the folded text that it has to contain."""
        return containing(name=self.name)
