-- Attachments on their way into the CRM. No name and no byte of one has a column here.

-- Items whose attachments are still to be carried; a row goes when that is done, or when it failed and the failure
-- says so.
CREATE TABLE transfers (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    item_key bigint NOT NULL,
    item_id text COLLATE "C" NOT NULL,
    crm_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (mailbox_id, kind, item_key)
);

-- What became of each attachment: stored, or left out for a reason.
CREATE TABLE attachments (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    item_key bigint NOT NULL,
    attachment_key bigint NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (mailbox_id, kind, item_key, attachment_key)
);

-- Which file of the CRM holds which content, by a keyed hash of the organisation: one content, one file. A row
-- without a file is a claim: the turn that holds it stores the file, and the others wait.
CREATE TABLE contents (
    crm text NOT NULL,
    hash bytea NOT NULL,
    file_id text COLLATE "C",
    holder_mailbox int NOT NULL,
    holder_kind smallint NOT NULL,
    holder_fence bigint NOT NULL,
    claimed_at timestamptz NOT NULL,
    PRIMARY KEY (crm, hash)
);

ALTER TABLE transfers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON transfers
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON attachments
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);

GRANT SELECT, INSERT, UPDATE, DELETE ON transfers, attachments, contents TO holdfast_daemon;
