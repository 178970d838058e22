-- The deletion guard, and the journal of what was written.
--
-- A deletion beyond the policy's thresholds is not carried out but written into quarantine, until a person
-- decides. The journal has one row per write on either side; the guard counts deletions in it, and an undo
-- finds by it what was made. Both hold ids, times and codes, like everything here.

-- side: where the deletion would be carried out. reason: why, where the item still exists in the mailbox.
CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    side smallint NOT NULL CHECK (side IN (0, 1)),
    item_key bigint NOT NULL,
    item_id bytea,
    crm_id text COLLATE "C" NOT NULL,
    reason text,
    state text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'approved', 'refused')),
    held_at timestamptz NOT NULL,
    decided_at timestamptz,
    UNIQUE (mailbox_id, kind, item_key)
);

-- side: where it was written. act: 0 created, 1 found (a repeated create met its first copy), 2 updated,
-- 3 deleted, 4 deleted after approval. item_id only where the item was made in the mailbox: elsewhere the link has it.
CREATE TABLE journal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_key bigint NOT NULL,
    at timestamptz NOT NULL,
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    side smallint NOT NULL CHECK (side IN (0, 1)),
    act smallint NOT NULL CHECK (act BETWEEN 0 AND 4),
    item_id bytea,
    crm_id text COLLATE "C"
);
CREATE INDEX journal_stream ON journal (mailbox_id, kind, at);

-- When the links were last asked for in the CRM by id; null asks for it at the next turn.
ALTER TABLE streams ADD COLUMN survivors_at timestamptz;

-- Skips that hold until a person lifts them, found without a walk over the others.
CREATE INDEX skips_lasting ON skips (mailbox_id, kind) WHERE reason IN ('undone', 'handed_over');

ALTER TABLE quarantine ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON quarantine
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);
CREATE POLICY totals ON quarantine FOR SELECT TO holdfast_owner USING (true);
ALTER TABLE journal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON journal
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);
CREATE POLICY retention ON journal TO holdfast_owner USING (true);

CREATE FUNCTION quarantine_totals()
RETURNS TABLE (mailbox_id int, kind smallint, side smallint, held bigint, oldest timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT mailbox_id, kind, side, count(*), min(held_at)
    FROM public.quarantine WHERE state = 'held' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
$$;

CREATE FUNCTION forget_journal(before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH old AS (DELETE FROM public.journal WHERE at < before RETURNING 1) SELECT count(*) FROM old
$$;

REVOKE ALL ON FUNCTION quarantine_totals(), forget_journal(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION quarantine_totals(), forget_journal(timestamptz) TO holdfast_daemon;
GRANT SELECT, INSERT, UPDATE, DELETE ON quarantine TO holdfast_daemon;
GRANT SELECT, INSERT ON journal TO holdfast_daemon;
