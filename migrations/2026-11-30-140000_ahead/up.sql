-- Items and records that lie beyond a policy's window, and the day from which the window holds them. The feeds tell
-- of each once, when it is made or edited; that days go by they tell nobody, so that a meeting entered two years
-- ahead would never be taken up. The day is the start less the window's length.
CREATE TABLE ahead (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    look_at date NOT NULL,
    kind smallint NOT NULL,
    side smallint NOT NULL,
    item_key bigint NOT NULL,
    item_id bytea,
    crm_id text,
    PRIMARY KEY (mailbox_id, kind, side, item_key)
);

CREATE INDEX ahead_by_day ON ahead (mailbox_id, kind, look_at);

ALTER TABLE ahead ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON ahead
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);

GRANT SELECT, INSERT, UPDATE, DELETE ON ahead TO holdfast_daemon;
