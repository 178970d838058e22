DROP FUNCTION failure_place(bigint);
DROP FUNCTION forget_failed_names(timestamptz);
DROP POLICY expiry ON failures;
ALTER TABLE failures DROP COLUMN name;
