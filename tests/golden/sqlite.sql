CREATE TABLE organizations (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    parent_id TEXT,
    maximum_access TEXT,
    time_zone TEXT NOT NULL,
    anonymous_registration INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT organizations_anonymous_registration_ok CHECK (anonymous_registration IN (false, true))
)
 STRICT;
CREATE TABLE courses (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    content_provider TEXT,
    publishing_group TEXT,
    activities TEXT NOT NULL,
    maximum_access TEXT,
    archived INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT courses_archived_ok CHECK (archived IN (false, true))
)
 STRICT;
CREATE TABLE users (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    email TEXT NOT NULL,
    folded_email TEXT NOT NULL,
    organization_id TEXT,
    roles TEXT NOT NULL,
    managed_organization_ids TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT users_by_folded_email UNIQUE (folded_email)
)
 STRICT;
CREATE INDEX users_by_organization_id ON users (organization_id, id);
CREATE TABLE subscriptions (
    id TEXT NOT NULL,
    learner_id TEXT NOT NULL,
    organization_id TEXT,
    course_ids TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    edited_at TEXT,
    cancelled_at TEXT,
    openings TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT subscriptions_window CHECK (created_at < expires_at),
    CONSTRAINT subscriptions_edited_at CHECK (created_at <= edited_at),
    CONSTRAINT subscriptions_cancelled_at CHECK (created_at <= cancelled_at),
    CONSTRAINT subscriptions_created_at_ok CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT subscriptions_expires_at_ok CHECK (expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT subscriptions_edited_at_ok CHECK (edited_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT subscriptions_cancelled_at_ok CHECK (cancelled_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    FOREIGN KEY(learner_id) REFERENCES users (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
)
 STRICT;
CREATE INDEX subscriptions_by_created_at ON subscriptions (created_at, id);
CREATE INDEX subscriptions_by_expires_at ON subscriptions (expires_at);
CREATE INDEX subscriptions_by_learner_id ON subscriptions (learner_id, created_at, id);
CREATE INDEX subscriptions_by_organization_id ON subscriptions (organization_id, created_at, id);
CREATE TABLE key_batches (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    course_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    redeemable_from TEXT,
    redeemable_until TEXT,
    max_uses INTEGER NOT NULL,
    availability TEXT NOT NULL,
    any_organization INTEGER NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT key_batches_max_uses CHECK (max_uses >= 1),
    CONSTRAINT key_batches_window CHECK (redeemable_from < redeemable_until),
    CONSTRAINT key_batches_created_at_ok CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT key_batches_redeemable_from_ok CHECK (redeemable_from GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT key_batches_redeemable_until_ok CHECK (redeemable_until GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT key_batches_any_organization_ok CHECK (any_organization IN (false, true)),
    FOREIGN KEY(course_id) REFERENCES courses (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
)
 STRICT;
CREATE INDEX key_batches_by_course_id ON key_batches (course_id, created_at, id);
CREATE INDEX key_batches_by_created_at ON key_batches (created_at, id);
CREATE INDEX key_batches_by_organization_id ON key_batches (organization_id, created_at, id);
CREATE TABLE training_keys (
    id TEXT NOT NULL,
    code TEXT NOT NULL,
    lookup_code TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    max_uses INTEGER NOT NULL,
    revoked_at TEXT,
    PRIMARY KEY (id),
    CONSTRAINT training_keys_number CHECK (number >= 1),
    CONSTRAINT training_keys_uses CHECK (uses BETWEEN 0 AND max_uses),
    CONSTRAINT training_keys_by_lookup_code UNIQUE (lookup_code),
    CONSTRAINT training_keys_revoked_at_ok CHECK (revoked_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    FOREIGN KEY(batch_id) REFERENCES key_batches (id)
)
 STRICT;
CREATE INDEX training_keys_by_batch_id ON training_keys (batch_id, number, id);
CREATE TABLE course_assignments (
    id TEXT NOT NULL,
    learner_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    organization_id TEXT,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    limited_by TEXT NOT NULL,
    batch_id TEXT,
    redemption_id TEXT,
    subscription_id TEXT,
    first_lab_launched_at TEXT,
    started_at TEXT,
    completed_at TEXT,
    cancelled_at TEXT,
    finished TEXT NOT NULL,
    notes TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT course_assignments_window CHECK (created_at < expires_at),
    CONSTRAINT course_assignments_first_lab_launched_at CHECK (created_at <= first_lab_launched_at),
    CONSTRAINT course_assignments_started_at CHECK (created_at <= started_at),
    CONSTRAINT course_assignments_origin CHECK ((batch_id IS NULL) = (redemption_id IS NULL) AND (batch_id IS NULL OR subscription_id IS NULL)),
    CONSTRAINT course_assignments_created_at_ok CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT course_assignments_expires_at_ok CHECK (expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT course_assignments_first_lab_launched_at_ok CHECK (first_lab_launched_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT course_assignments_started_at_ok CHECK (started_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT course_assignments_completed_at_ok CHECK (completed_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT course_assignments_cancelled_at_ok CHECK (cancelled_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    FOREIGN KEY(learner_id) REFERENCES users (id),
    FOREIGN KEY(course_id) REFERENCES courses (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(batch_id) REFERENCES key_batches (id),
    FOREIGN KEY(subscription_id) REFERENCES subscriptions (id)
)
 STRICT;
CREATE INDEX course_assignments_by_batch_id ON course_assignments (batch_id, created_at, id);
CREATE INDEX course_assignments_by_course_id ON course_assignments (course_id, created_at, id);
CREATE INDEX course_assignments_by_created_at ON course_assignments (created_at, id);
CREATE INDEX course_assignments_by_expires_at ON course_assignments (expires_at);
CREATE INDEX course_assignments_by_learner_id ON course_assignments (learner_id, created_at, id);
CREATE INDEX course_assignments_by_organization_id ON course_assignments (organization_id, created_at, id);
CREATE INDEX course_assignments_by_subscription_id ON course_assignments (subscription_id, created_at, id);
CREATE TABLE claims (
    id TEXT NOT NULL,
    learner_id TEXT NOT NULL,
    course_id TEXT NOT NULL,
    assignment_id TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT claims_by_learner_id UNIQUE (learner_id, course_id),
    FOREIGN KEY(learner_id) REFERENCES users (id),
    FOREIGN KEY(course_id) REFERENCES courses (id),
    FOREIGN KEY(assignment_id) REFERENCES course_assignments (id)
)
 STRICT;
CREATE TABLE attempts (
    id TEXT NOT NULL,
    assignment_id TEXT NOT NULL,
    activity_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    pauses TEXT NOT NULL,
    finished_at TEXT,
    PRIMARY KEY (id),
    CONSTRAINT attempts_number CHECK (number >= 1),
    CONSTRAINT attempts_started_at_ok CHECK (started_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT attempts_finished_at_ok CHECK (finished_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    FOREIGN KEY(assignment_id) REFERENCES course_assignments (id)
)
 STRICT;
CREATE INDEX attempts_by_assignment_id ON attempts (assignment_id, started_at, id);
CREATE INDEX attempts_by_started_at ON attempts (started_at, id);
CREATE TABLE redemptions (
    id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    learner_id TEXT NOT NULL,
    assignment_id TEXT NOT NULL,
    redeemed_at TEXT NOT NULL,
    restored_at TEXT,
    PRIMARY KEY (id),
    CONSTRAINT redemptions_redeemed_at_ok CHECK (redeemed_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT redemptions_restored_at_ok CHECK (restored_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    FOREIGN KEY(key_id) REFERENCES training_keys (id),
    FOREIGN KEY(batch_id) REFERENCES key_batches (id),
    FOREIGN KEY(learner_id) REFERENCES users (id),
    FOREIGN KEY(assignment_id) REFERENCES course_assignments (id)
)
 STRICT;
CREATE INDEX redemptions_by_key_id ON redemptions (key_id, redeemed_at, id);
CREATE INDEX redemptions_by_learner_id ON redemptions (learner_id, redeemed_at, id);
CREATE INDEX redemptions_by_redeemed_at ON redemptions (redeemed_at, id);
CREATE TABLE receipts (
    id TEXT NOT NULL,
    action TEXT NOT NULL,
    digest TEXT NOT NULL,
    parts INTEGER NOT NULL,
    made TEXT NOT NULL,
    skipped TEXT NOT NULL,
    positions TEXT NOT NULL,
    PRIMARY KEY (id)
)
 STRICT;
CREATE TABLE events (
    position INTEGER NOT NULL,
    at TEXT NOT NULL,
    "by" TEXT,
    action TEXT NOT NULL,
    subject_ids TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (position),
    CONSTRAINT events_at_ok CHECK (at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z')
)
 STRICT;
CREATE INDEX events_by_at ON events (at);
CREATE TABLE journal (
    id INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT journal_one_row CHECK (id = 1)
)
 STRICT;
