-- What is to be said of an item that is on both sides and not there as a whole: how many of its people the CRM does not
-- link. Counts, never who.
CREATE TABLE notes (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    item_key bigint NOT NULL,
    note text NOT NULL,
    people int NOT NULL,
    PRIMARY KEY (mailbox_id, kind, item_key, note)
);

ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON notes
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);

GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO holdfast_daemon;
