-- Back to an empty database. The roles stay: they belong to the cluster, not to this database.
REVOKE SELECT ON __diesel_schema_migrations FROM holdfast_daemon;
DROP FUNCTION skip_totals(), failure_list(int), stream_totals();
DROP TABLE sessions, sign_in_codes, sealed_secrets, egress_ledger, turns, skips, failures, links, streams,
    policies, mailbox_keys, mailboxes;
