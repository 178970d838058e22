-- First light: what one daemon needs to keep mailboxes and a CRM in step.
--
-- Nothing here can hold content. Identifiers, times, keyed fingerprints, counters, codes and settings are
-- stored; a subject, a name or a body has no column to go to. Error columns hold codes, not texts.
--
-- Two roles, made before the first migration by src/appliance/roles.sql: holdfast_owner owns everything and
-- runs migrations, holdfast_daemon gets the rights listed at the end of this file and nothing else.
--
-- Row-level security keeps a turn inside its mailbox: a transaction names its mailbox in the setting
-- holdfast.mailbox, and links, failures, skips and mailbox keys of any other do not exist for it. FORCE
-- makes that true for the owner's writes as well; the owner may read across mailboxes, because the
-- functions that count for the status page run with its rights.

CREATE TABLE mailboxes (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    address text NOT NULL UNIQUE,
    mail_server text NOT NULL,
    crm text NOT NULL,
    crm_username text NOT NULL,
    crm_user_id text,
    policy text NOT NULL DEFAULT 'default',
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'refused')),
    state_code text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE mailbox_keys (
    mailbox_id int PRIMARY KEY REFERENCES mailboxes (id) ON DELETE CASCADE,
    sealed bytea NOT NULL
);

CREATE TABLE policies (
    name text NOT NULL,
    version int NOT NULL,
    body jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);

-- kind: 0 calendar, 1 contacts, 2 tasks, 3 mail. side: 0 mailbox, 1 CRM. The same numbers everywhere.
CREATE TABLE streams (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 3),
    mailbox_cursor bytea,
    crm_cursor bytea,
    first_read_done boolean NOT NULL DEFAULT false,
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_owner uuid,
    lease_expires timestamptz,
    -- Grows with every lease; every write of a turn carries it, so a turn that lost its lease writes nothing.
    fence bigint NOT NULL DEFAULT 0,
    read_total int,
    read_done int NOT NULL DEFAULT 0,
    last_turn_at timestamptz,
    last_change_at timestamptz,
    lag_ms int,
    attempts int NOT NULL DEFAULT 0,
    last_error_code text,
    last_error_at timestamptz,
    PRIMARY KEY (mailbox_id, kind)
);
CREATE INDEX streams_due_at ON streams (due_at);

-- One row per pair of items, millions of them: fixed-width columns first, so that no byte goes to padding.
CREATE TABLE links (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    item_key bigint NOT NULL,
    item_version bigint NOT NULL,
    item_modified timestamptz,
    crm_modified timestamptz,
    item_id bytea,
    -- Identifiers of a CRM are case-sensitive bytes; "C" also makes the index smaller and faster.
    crm_id text COLLATE "C" NOT NULL,
    prints bytea NOT NULL,
    PRIMARY KEY (mailbox_id, kind, item_key)
);
CREATE UNIQUE INDEX links_crm_id ON links (mailbox_id, kind, crm_id);

CREATE TABLE failures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    side smallint NOT NULL CHECK (side IN (0, 1)),
    item_key bigint NOT NULL,
    item_id bytea,
    crm_id text COLLATE "C",
    code text NOT NULL,
    class text NOT NULL,
    attempts int NOT NULL DEFAULT 1,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    next_retry_at timestamptz,
    UNIQUE (mailbox_id, kind, side, item_key)
);

CREATE TABLE skips (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    side smallint NOT NULL CHECK (side IN (0, 1)),
    item_key bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (mailbox_id, kind, side, item_key)
);

CREATE TABLE turns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    outcome text NOT NULL,
    counts jsonb NOT NULL
);
CREATE INDEX turns_stream ON turns (mailbox_id, kind, id);

-- One row per outbound connection, allowed or refused: the answer to "where did data go?".
CREATE TABLE egress_ledger (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    purpose text NOT NULL,
    host text NOT NULL,
    port int NOT NULL,
    address text,
    outcome text NOT NULL,
    bytes_out bigint NOT NULL,
    bytes_in bigint NOT NULL,
    duration_ms int NOT NULL
);
CREATE INDEX egress_ledger_at ON egress_ledger (at);

CREATE TABLE sealed_secrets (
    name text PRIMARY KEY,
    sealed bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Hashes only: who reads these tables cannot sign in with what is in them.
CREATE TABLE sign_in_codes (
    hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE TABLE sessions (
    hash bytea PRIMARY KEY,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The setting is empty, not null, in a connection that used it before: nullif covers both.
ALTER TABLE mailbox_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON mailbox_keys
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);
ALTER TABLE links ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON links
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);
CREATE POLICY totals ON links FOR SELECT TO holdfast_owner USING (true);
ALTER TABLE failures ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON failures
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);
CREATE POLICY totals ON failures FOR SELECT TO holdfast_owner USING (true);
ALTER TABLE skips ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON skips
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);
CREATE POLICY totals ON skips FOR SELECT TO holdfast_owner USING (true);

-- Across mailboxes there are counts and codes, never an item.
CREATE FUNCTION stream_totals()
RETURNS TABLE (mailbox_id int, kind smallint, linked bigint, skipped bigint, failed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT s.mailbox_id, s.kind, coalesce(l.n, 0), coalesce(k.n, 0), coalesce(f.n, 0)
    FROM public.streams s
    LEFT JOIN (SELECT mailbox_id, kind, count(*) AS n FROM public.links GROUP BY 1, 2) l
        USING (mailbox_id, kind)
    LEFT JOIN (SELECT mailbox_id, kind, count(*) AS n FROM public.skips GROUP BY 1, 2) k
        USING (mailbox_id, kind)
    LEFT JOIN (SELECT mailbox_id, kind, count(*) AS n FROM public.failures GROUP BY 1, 2) f
        USING (mailbox_id, kind)
    ORDER BY 1, 2
$$;

CREATE FUNCTION failure_list(most int)
RETURNS TABLE (id bigint, mailbox_id int, kind smallint, side smallint, code text, class text, attempts int,
               first_at timestamptz, last_at timestamptz, next_retry_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT id, mailbox_id, kind, side, code, class, attempts, first_at, last_at, next_retry_at
    FROM public.failures
    ORDER BY last_at DESC, id DESC
    LIMIT most
$$;

CREATE FUNCTION skip_totals()
RETURNS TABLE (mailbox_id int, kind smallint, reason text, count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT mailbox_id, kind, reason, count(*) FROM public.skips GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
$$;

REVOKE ALL ON FUNCTION stream_totals(), failure_list(int), skip_totals() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stream_totals(), failure_list(int), skip_totals() TO holdfast_daemon;

-- The daemon reads which migrations ran, so that it can refuse to work on a database that it does not know.
GRANT SELECT ON __diesel_schema_migrations TO holdfast_daemon;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON mailboxes, mailbox_keys, streams, links, failures, skips, sealed_secrets, sign_in_codes, sessions
    TO holdfast_daemon;
-- History is added and, when old, removed; it is never rewritten.
GRANT SELECT, INSERT, DELETE ON turns, egress_ledger TO holdfast_daemon;
GRANT SELECT, INSERT ON policies TO holdfast_daemon;
