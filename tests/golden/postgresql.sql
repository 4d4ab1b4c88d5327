CREATE TABLE organizations (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    folded_name TEXT COLLATE "C" NOT NULL,
    parent_id TEXT COLLATE "C",
    maximum_access TEXT COLLATE "C",
    time_zone TEXT COLLATE "C" NOT NULL,
    anonymous_registration BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT organizations_anonymous_registration_ok CHECK (anonymous_registration IN (false, true))
);
CREATE TABLE courses (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    folded_name TEXT COLLATE "C" NOT NULL,
    content_provider TEXT COLLATE "C",
    publishing_group TEXT COLLATE "C",
    activities TEXT COLLATE "C" NOT NULL,
    maximum_access TEXT COLLATE "C",
    archived BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT courses_archived_ok CHECK (archived IN (false, true))
);
CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    folded_name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    folded_email TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C",
    roles TEXT COLLATE "C" NOT NULL,
    managed_organization_ids TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT users_by_folded_email UNIQUE (folded_email)
);
CREATE INDEX users_by_organization_id ON users (organization_id, id);
CREATE TABLE subscriptions (
    id TEXT COLLATE "C" NOT NULL,
    learner_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C",
    course_ids TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    edited_at TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    openings TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT subscriptions_window CHECK (created_at < expires_at),
    CONSTRAINT subscriptions_edited_at CHECK (created_at <= edited_at),
    CONSTRAINT subscriptions_cancelled_at CHECK (created_at <= cancelled_at),
    CONSTRAINT subscriptions_created_at_ok CHECK (isfinite(created_at)),
    CONSTRAINT subscriptions_expires_at_ok CHECK (isfinite(expires_at)),
    CONSTRAINT subscriptions_edited_at_ok CHECK (isfinite(edited_at)),
    CONSTRAINT subscriptions_cancelled_at_ok CHECK (isfinite(cancelled_at)),
    FOREIGN KEY(learner_id) REFERENCES users (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE INDEX subscriptions_by_created_at ON subscriptions (created_at, id);
CREATE INDEX subscriptions_by_expires_at ON subscriptions (expires_at);
CREATE INDEX subscriptions_by_learner_id ON subscriptions (learner_id, created_at, id);
CREATE INDEX subscriptions_by_organization_id ON subscriptions (organization_id, created_at, id);
CREATE TABLE key_batches (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    folded_name TEXT COLLATE "C" NOT NULL,
    course_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    redeemable_from TIMESTAMP WITH TIME ZONE,
    redeemable_until TIMESTAMP WITH TIME ZONE,
    max_uses INTEGER NOT NULL,
    availability TEXT COLLATE "C" NOT NULL,
    any_organization BOOLEAN NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT key_batches_max_uses CHECK (max_uses >= 1),
    CONSTRAINT key_batches_window CHECK (redeemable_from < redeemable_until),
    CONSTRAINT key_batches_created_at_ok CHECK (isfinite(created_at)),
    CONSTRAINT key_batches_redeemable_from_ok CHECK (isfinite(redeemable_from)),
    CONSTRAINT key_batches_redeemable_until_ok CHECK (isfinite(redeemable_until)),
    CONSTRAINT key_batches_any_organization_ok CHECK (any_organization IN (false, true)),
    FOREIGN KEY(course_id) REFERENCES courses (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE INDEX key_batches_by_course_id ON key_batches (course_id, created_at, id);
CREATE INDEX key_batches_by_created_at ON key_batches (created_at, id);
CREATE INDEX key_batches_by_organization_id ON key_batches (organization_id, created_at, id);
CREATE TABLE training_keys (
    id TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    lookup_code TEXT COLLATE "C" NOT NULL,
    batch_id TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    max_uses INTEGER NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT training_keys_number CHECK (number >= 1),
    CONSTRAINT training_keys_uses CHECK (uses BETWEEN 0 AND max_uses),
    CONSTRAINT training_keys_by_lookup_code UNIQUE (lookup_code),
    CONSTRAINT training_keys_revoked_at_ok CHECK (isfinite(revoked_at)),
    FOREIGN KEY(batch_id) REFERENCES key_batches (id)
);
CREATE INDEX training_keys_by_batch_id ON training_keys (batch_id, number, id);
CREATE TABLE course_assignments (
    id TEXT COLLATE "C" NOT NULL,
    learner_id TEXT COLLATE "C" NOT NULL,
    course_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C",
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    limited_by TEXT COLLATE "C" NOT NULL,
    batch_id TEXT COLLATE "C",
    redemption_id TEXT COLLATE "C",
    subscription_id TEXT COLLATE "C",
    first_lab_launched_at TIMESTAMP WITH TIME ZONE,
    started_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    finished TEXT COLLATE "C" NOT NULL,
    notes TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT course_assignments_window CHECK (created_at < expires_at),
    CONSTRAINT course_assignments_first_lab_launched_at CHECK (created_at <= first_lab_launched_at),
    CONSTRAINT course_assignments_started_at CHECK (created_at <= started_at),
    CONSTRAINT course_assignments_origin CHECK ((batch_id IS NULL) = (redemption_id IS NULL) AND (batch_id IS NULL OR subscription_id IS NULL)),
    CONSTRAINT course_assignments_created_at_ok CHECK (isfinite(created_at)),
    CONSTRAINT course_assignments_expires_at_ok CHECK (isfinite(expires_at)),
    CONSTRAINT course_assignments_first_lab_launched_at_ok CHECK (isfinite(first_lab_launched_at)),
    CONSTRAINT course_assignments_started_at_ok CHECK (isfinite(started_at)),
    CONSTRAINT course_assignments_completed_at_ok CHECK (isfinite(completed_at)),
    CONSTRAINT course_assignments_cancelled_at_ok CHECK (isfinite(cancelled_at)),
    FOREIGN KEY(learner_id) REFERENCES users (id),
    FOREIGN KEY(course_id) REFERENCES courses (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(batch_id) REFERENCES key_batches (id),
    FOREIGN KEY(subscription_id) REFERENCES subscriptions (id)
);
CREATE INDEX course_assignments_by_batch_id ON course_assignments (batch_id, created_at, id);
CREATE INDEX course_assignments_by_course_id ON course_assignments (course_id, created_at, id);
CREATE INDEX course_assignments_by_created_at ON course_assignments (created_at, id);
CREATE INDEX course_assignments_by_expires_at ON course_assignments (expires_at);
CREATE INDEX course_assignments_by_learner_id ON course_assignments (learner_id, created_at, id);
CREATE INDEX course_assignments_by_organization_id ON course_assignments (organization_id, created_at, id);
CREATE INDEX course_assignments_by_subscription_id ON course_assignments (subscription_id, created_at, id);
CREATE TABLE claims (
    id TEXT COLLATE "C" NOT NULL,
    learner_id TEXT COLLATE "C" NOT NULL,
    course_id TEXT COLLATE "C" NOT NULL,
    assignment_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT claims_by_learner_id UNIQUE (learner_id, course_id),
    FOREIGN KEY(learner_id) REFERENCES users (id),
    FOREIGN KEY(course_id) REFERENCES courses (id),
    FOREIGN KEY(assignment_id) REFERENCES course_assignments (id)
);
CREATE TABLE attempts (
    id TEXT COLLATE "C" NOT NULL,
    assignment_id TEXT COLLATE "C" NOT NULL,
    activity_id TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    pauses TEXT COLLATE "C" NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT attempts_number CHECK (number >= 1),
    CONSTRAINT attempts_started_at_ok CHECK (isfinite(started_at)),
    CONSTRAINT attempts_finished_at_ok CHECK (isfinite(finished_at)),
    FOREIGN KEY(assignment_id) REFERENCES course_assignments (id)
);
CREATE INDEX attempts_by_assignment_id ON attempts (assignment_id, started_at, id);
CREATE INDEX attempts_by_started_at ON attempts (started_at, id);
CREATE TABLE redemptions (
    id TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    batch_id TEXT COLLATE "C" NOT NULL,
    learner_id TEXT COLLATE "C" NOT NULL,
    assignment_id TEXT COLLATE "C" NOT NULL,
    redeemed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    restored_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT redemptions_redeemed_at_ok CHECK (isfinite(redeemed_at)),
    CONSTRAINT redemptions_restored_at_ok CHECK (isfinite(restored_at)),
    FOREIGN KEY(key_id) REFERENCES training_keys (id),
    FOREIGN KEY(batch_id) REFERENCES key_batches (id),
    FOREIGN KEY(learner_id) REFERENCES users (id),
    FOREIGN KEY(assignment_id) REFERENCES course_assignments (id)
);
CREATE INDEX redemptions_by_key_id ON redemptions (key_id, redeemed_at, id);
CREATE INDEX redemptions_by_learner_id ON redemptions (learner_id, redeemed_at, id);
CREATE INDEX redemptions_by_redeemed_at ON redemptions (redeemed_at, id);
CREATE TABLE receipts (
    id TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    parts INTEGER NOT NULL,
    made TEXT COLLATE "C" NOT NULL,
    skipped TEXT COLLATE "C" NOT NULL,
    positions TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE events (
    position INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    by TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    subject_ids TEXT COLLATE "C" NOT NULL,
    details TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (position),
    CONSTRAINT events_at_ok CHECK (isfinite(at))
);
CREATE INDEX events_by_at ON events (at);
CREATE TABLE journal (
    id INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT journal_one_row CHECK (id = 1)
);
