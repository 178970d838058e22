DROP INDEX skips_lasting;
CREATE INDEX skips_lasting ON skips (mailbox_id, kind) WHERE reason IN ('undone', 'handed_over', 'parted');
ALTER TABLE streams
    DROP COLUMN judged_policy,
    DROP COLUMN judged_version,
    DROP COLUMN before_policy,
    DROP COLUMN before_version;
