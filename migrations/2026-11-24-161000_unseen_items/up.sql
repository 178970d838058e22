-- Items that we made in a mailbox and that its change feed has not shown yet. The feed tells of a deletion
-- only where the cursor already covers the item: one that its owner removes before our next look would never
-- be heard of. So such an item is looked for by id until the feed has shown it once.
CREATE TABLE unseen_items (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    item_key bigint NOT NULL,
    PRIMARY KEY (mailbox_id, kind, item_key)
);

ALTER TABLE unseen_items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON unseen_items
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);

GRANT SELECT, INSERT, DELETE ON unseen_items TO holdfast_daemon;
