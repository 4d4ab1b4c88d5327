"""Commands on organizations, courses and users. Rules 20 and 23."""

from course_assignments import actions, validation
from course_assignments.actions.records import PROFILES, AnyProfile, Profile
from course_assignments.entities.catalog import Organization
from course_assignments.entities.people import User
from course_assignments.errors import NotFound
from course_assignments.registrar.desk import Desk
from course_assignments.registrar.office import Office, Outcome, command, question


class RecordCommands(Office):
    """What is kept by hand: organizations, courses and users."""

    @command
    def add(self, desk: Desk, *records: Profile, by: str | None = None) -> Outcome[None]:
        """Add organizations, courses and users, in any order; what is there just so stays.

        So a notebook cell can be run again.

        Args:
            records: What to add. What they refer to is stored already or among them.
            by: The id of the user who acts, for the event.

        Raises:
            Conflict: a different record is stored under the same id.
            Refused: a user's e-mail address is taken (``email_taken``).
            NotFound: an organization that is referred to, or *by*, is unknown.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import Course, Registrar
            >>> registrar = Registrar()
            >>> registrar.add(Course(id="py", name="Python"))
            >>> registrar.add(Course(id="py", name="Python"))
        """
        actor = desk.actor(by)
        for position, record in enumerate(validation.check_list(records, "records")):
            validation.check_record(record, f"records[{position}]", *PROFILES)
        # The addresses first: whoever is stored after this is known, or is met at the commit.
        holders = desk.holders(record for record in records if isinstance(record, User))
        stored: dict[tuple[type, str], Profile] = {}
        for kind in PROFILES:
            ids = [record.id for record in records if isinstance(record, kind)]
            stored |= {(kind, id_): one for id_, one in desk.repository.get(kind, ids).items()}
        new = [record for record in records if (type(record), record.id) not in stored]
        _check_references(desk, new)
        change = actions.add(records, at=desk.at, stored=stored, holders=holders, actor=actor)
        return Outcome(None, change)

    may_add = question(add)

    @command
    def update(
        self, desk: Desk, record: AnyProfile, *, by: str | None = None
    ) -> Outcome[AnyProfile]:
        """Store *record* in place of the one under its id; what was made before stays (rule 20).

        Args:
            record: An organization, a course or a user, as it is to be.
            by: The id of the user who acts, for the event.

        Raises:
            NotFound: nothing is stored under its id, or what it refers to is unknown.
            Refused: the e-mail address belongs to someone else (``email_taken``).
            InvalidInput: it is none of the three.

        Example:
            >>> from attrs import evolve
            >>> from course_assignments import Course, Registrar
            >>> registrar, course = Registrar(), Course(id="py", name="Python")
            >>> registrar.add(course)
            >>> registrar.update(evolve(course, archived=True)).archived
            True
        """
        actor = desk.actor(by)
        validation.check_record(record, "record", *PROFILES)
        before = desk.need(type(record), record.id)
        _check_references(desk, [record])
        holders = desk.holders([record] if isinstance(record, User) else [])
        holder = holders[0] if holders else None
        change = actions.update(before, record, at=desk.at, holder=holder, actor=actor)
        return Outcome(record, change)

    may_update = question(update)

    @command
    def anonymize(self, desk: Desk, user_id: str, *, by: str | None = None) -> Outcome[User]:
        """Replace the name and the e-mail address of a user; all their records stay (rule 23).

        Args:
            user_id: Who asked to be forgotten.
            by: The id of the user who acts, for the event.

        Raises:
            NotFound: there is no such user.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from course_assignments import Registrar, User
            >>> registrar = Registrar()
            >>> registrar.add(User(id="ada", name="Ada", email="ada@example.org"))
            >>> registrar.anonymize("ada").name
            'Anonymous'
        """
        actor = desk.actor(by)
        user = desk.need(User, user_id, "user_id")
        change = actions.anonymize(user, at=desk.at, actor=actor)
        return Outcome(next(iter(change.made(User)), user), change)


def _check_references(desk: Desk, records: list[Profile]) -> None:
    """Raise `NotFound` if *records* refer to an organization that is neither stored nor new."""
    wanted: dict[str, None] = {}
    for record in records:
        if isinstance(record, Organization):
            wanted |= dict.fromkeys([record.parent_id] if record.parent_id else [])
        elif isinstance(record, User):
            own = [record.organization_id] if record.organization_id else []
            wanted |= dict.fromkeys([*own, *sorted(record.managed_organization_ids)])
    new = {record.id for record in records if isinstance(record, Organization)}
    stored = desk.repository.get(Organization, wanted)
    missing = (id_ for id_ in wanted if id_ not in new and id_ not in stored)
    NotFound.raise_any(("Organization", id_) for id_ in missing)
