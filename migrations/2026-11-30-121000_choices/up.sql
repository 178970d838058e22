-- What waits for a person's choice when a mailbox goes live (policy: go_live = "ask"): an item of the mailbox with the
-- records that may be the same, or a record of the CRM that has no counterpart. Ids, times and words, like everything
-- here. A row goes when its item is linked, or is there no more; "never" stays.
--
-- side: where the item is. stage: by what its candidates were found. chosen: the candidate that it is to be linked with.
CREATE TABLE choices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    side smallint NOT NULL CHECK (side IN (0, 1)),
    item_key bigint NOT NULL,
    item_id bytea,
    crm_id text COLLATE "C",
    stage text NOT NULL,
    candidates text[] COLLATE "C" NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'accepted', 'new', 'never')),
    chosen text COLLATE "C",
    held_at timestamptz NOT NULL,
    UNIQUE (mailbox_id, kind, side, item_key)
);

ALTER TABLE choices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON choices
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);

GRANT SELECT, INSERT, UPDATE, DELETE ON choices TO holdfast_daemon;
