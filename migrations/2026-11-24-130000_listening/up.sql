-- Who listens to what: nodes, groups of mailboxes that one connection listens to, and their members.
--
-- A group is leased by one node, as a stream is, so that two nodes never listen to the same mailbox. A hint marks
-- its stream: one that arrives while a turn runs must not be forgotten when the turn ends.

CREATE TABLE nodes (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE TABLE listen_groups (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail_server text NOT NULL,
    lease_owner uuid,
    lease_expires timestamptz,
    -- The failure that keeps the whole group from being listened to.
    code text
);

CREATE TABLE listen_members (
    mailbox_id int PRIMARY KEY REFERENCES mailboxes (id) ON DELETE CASCADE,
    group_id int NOT NULL REFERENCES listen_groups (id) ON DELETE CASCADE,
    listening boolean NOT NULL DEFAULT false,
    -- Why not, where it is the mailbox's own trouble.
    code text
);
CREATE INDEX listen_members_group ON listen_members (group_id);

-- Set by a hint, cleared by the next lease.
ALTER TABLE streams ADD COLUMN hinted_at timestamptz;

GRANT SELECT, INSERT, UPDATE, DELETE ON nodes, listen_groups, listen_members TO holdfast_daemon;
