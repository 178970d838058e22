-- An item whose counterpart was deleted under a policy that keeps it is barred for as long as an undone one:
-- whoever hears of it again must not bring back what a person deleted.
DROP INDEX skips_lasting;
CREATE INDEX skips_lasting ON skips (mailbox_id, kind) WHERE reason IN ('undone', 'handed_over', 'parted');
