-- By which version of which policy a stream was judged as a whole, and by which before while a reading by the new one
-- goes on: what took part by the old and does not by the new is handled as the policy says, and what takes part now is
-- picked up. Streams of today were judged by the newest version of their mailbox's policy.
ALTER TABLE streams
    ADD COLUMN judged_policy text,
    ADD COLUMN judged_version integer,
    ADD COLUMN before_policy text,
    ADD COLUMN before_version integer;

UPDATE streams SET (judged_policy, judged_version) = (
    SELECT m.policy, coalesce(max(p.version), 0)
    FROM mailboxes m LEFT JOIN policies p ON p.name = m.policy
    WHERE m.id = streams.mailbox_id GROUP BY m.policy
) WHERE mailbox_cursor IS NOT NULL;

-- What the policy let go its own way is not made again beside its counterpart.
DROP INDEX skips_lasting;
CREATE INDEX skips_lasting ON skips (mailbox_id, kind)
    WHERE reason IN ('undone', 'handed_over', 'parted', 'left_scope');
