-- Series: which of their dates were taken up, and when to look at them again.
--
-- One row a series that has, or will have, dates in the CRM; nothing is added to the links of single meetings.
-- A date's link is found by the date's own id, which follows from the series' id and the day, so the days alone
-- lead to all links of a series. days: two bytes a day, days since the first of January 2000, ascending.

CREATE TABLE series (
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    -- The first day on which further dates come within reach; null where there are none to come.
    look_again date,
    item_key bigint NOT NULL,
    -- The version at which all of `days` were judged; 0 where that work is not finished.
    item_version bigint NOT NULL,
    item_id bytea NOT NULL,
    days bytea NOT NULL,
    PRIMARY KEY (mailbox_id, item_key)
);
CREATE INDEX series_look_again ON series (mailbox_id, look_again) WHERE look_again IS NOT NULL;

ALTER TABLE series ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON series
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON series TO holdfast_daemon;
