DROP INDEX skips_lasting;
CREATE INDEX skips_lasting ON skips (mailbox_id, kind) WHERE reason IN ('undone', 'handed_over');
