DROP FUNCTION forget_journal(timestamptz);
DROP FUNCTION quarantine_totals();
DROP INDEX skips_lasting;
ALTER TABLE streams DROP COLUMN survivors_at;
DROP TABLE journal;
DROP TABLE quarantine;
