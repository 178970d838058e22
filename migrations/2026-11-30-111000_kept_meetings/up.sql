-- Meetings whose record belongs to somebody who is not here any more: which colleague's copy keeps it up to date. One
-- for each meeting, whoever comes first; so a transaction without a mailbox sees them all, and one that is bound to a
-- mailbox sees that mailbox's alone. The key is the keyed hash that the record bears; it says nothing of the meeting.
CREATE TABLE kept_meetings (
    meeting text COLLATE "C" PRIMARY KEY,
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    item_key bigint NOT NULL,
    owner text COLLATE "C" NOT NULL
);
CREATE INDEX kept_meetings_mailbox ON kept_meetings (mailbox_id);

ALTER TABLE kept_meetings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_or_unbound ON kept_meetings
    USING (coalesce(nullif(current_setting('holdfast.mailbox', true), '')::int, mailbox_id) = mailbox_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON kept_meetings TO holdfast_daemon;
