-- The last tables with a mailbox_id are closed too.
--
-- A mailbox's past turns are its own, as its links are. Its streams and its place among the listeners are what the
-- scheduler and the listeners go by, which look over all mailboxes and act in none: a transaction without a mailbox
-- sees them all, and one that is bound to a mailbox sees that mailbox's alone.

ALTER TABLE turns ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON turns
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);

ALTER TABLE streams ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_or_unbound ON streams
    USING (coalesce(nullif(current_setting('holdfast.mailbox', true), '')::int, mailbox_id) = mailbox_id);
CREATE POLICY totals ON streams FOR SELECT TO holdfast_owner USING (true);

ALTER TABLE listen_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_or_unbound ON listen_members
    USING (coalesce(nullif(current_setting('holdfast.mailbox', true), '')::int, mailbox_id) = mailbox_id);
