"""Commands on the keys of a batch: list them, call them back. Rules 12 and 21."""

from collections.abc import Iterator

from course_assignments import actions
from course_assignments.actions.acting import authorization
from course_assignments.decisions import all_of
from course_assignments.entities.enums import Permission
from course_assignments.entities.keys import KeyBatch, TrainingKey
from course_assignments.registrar.desk import Desk
from course_assignments.registrar.office import Office, Outcome, command, question


class KeyCommands(Office):
    """What lists training keys and what makes them worthless."""

    @command
    def revoke_key(self, desk: Desk, code: str, *, by: str | None = None) -> Outcome[TrainingKey]:
        """Call one key back for good; a second time changes nothing (rule 21).

        It never waits for those who redeem the key just now, so the uses of the key that it returns
        are those that were read before.

        Args:
            code: Its code, as anyone may type it.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against; there may be no such key.
            NotFound: *by* is unknown.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Organization, Registrar
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Organization(id="acme", name="Acme"),
            ... )
            >>> batch = registrar.create_keys(
            ...     "py", name="Spring", organization_id="acme", availability=timedelta(days=30),
            ...     codes=["Spring-2026"],
            ... )
            >>> registrar.revoke_key("Spring-2026").revoked_at is None
            False
        """
        actor = desk.actor(by)
        key = desk.key(code)
        batch = desk.need(KeyBatch, key.batch_id)
        change = actions.revoke_keys(batch, [key], at=desk.at, policies=desk.policies, actor=actor)
        return Outcome(next(iter(change.made(TrainingKey)), key), change)

    may_revoke_key = question(revoke_key)

    @command
    def revoke_keys(
        self, desk: Desk, batch_id: str, *, by: str | None = None
    ) -> Outcome[tuple[TrainingKey, ...]]:
        """Call all keys of a batch back for good, and return those that were valid (rule 21).

        As with `revoke_key`, their uses are those that were read before.

        Args:
            batch_id: The batch.
            by: The id of the user who acts, whose roles then count.

        Raises:
            Refused: with every reason against.
            NotFound: the batch or *by* is unknown.
            InvalidInput: an argument is of the wrong kind.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Organization, Registrar
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Organization(id="acme", name="Acme"),
            ... )
            >>> batch = registrar.create_keys(
            ...     "py", name="Spring", organization_id="acme", availability=timedelta(days=30),
            ...     generate=2,
            ... )
            >>> len(registrar.revoke_keys(batch.id))
            2
        """
        actor = desk.actor(by)
        batch = desk.need(KeyBatch, batch_id, "batch_id")
        change = actions.revoke_keys(
            batch, desk.keys_of(batch), at=desk.at, policies=desk.policies, actor=actor
        )
        return Outcome(change.made(TrainingKey), change)

    may_revoke_keys = question(revoke_keys)

    def keys(self, batch_id: str, *, by: str | None = None) -> Iterator[TrainingKey]:
        """Go through the keys of a batch, in the order of their codes (rule 21).

        Args:
            batch_id: The batch.
            by: The id of the user who looks, whose roles then count: a key shows its code.

        Raises:
            Refused: *by* may not see them.
            NotFound: there is no such batch, or *by* is unknown.
            InvalidInput: *batch_id* is of the wrong kind.

        Example:
            >>> from datetime import timedelta
            >>> from course_assignments import Course, Organization, Registrar
            >>> registrar = Registrar()
            >>> registrar.add(
            ...     Course(id="py", name="Python", content_provider="us", publishing_group="all"),
            ...     Organization(id="acme", name="Acme"),
            ... )
            >>> batch = registrar.create_keys(
            ...     "py", name="Spring", organization_id="acme", availability=timedelta(days=30),
            ...     codes=["Spring-2026"],
            ... )
            >>> [key.display_code for key in registrar.keys(batch.id)]
            ['Spring-2026']
        """
        desk = self._desk(set())
        actor = desk.actor(by)
        batch = desk.need(KeyBatch, batch_id, "batch_id")
        all_of(
            authorization(desk.policies, actor, Permission.MANAGE_KEYS, batch.organization_id),
            desk.at,
        ).require()
        return desk.keys_of(batch)
