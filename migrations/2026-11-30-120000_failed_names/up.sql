-- The name of an item that failed: its title, or a person's name, so that somebody finds it by more than its id.
--
-- Sealed with the mailbox's own key (AES-256-GCM, bound to the mailbox and to the failure); nobody reads it in the
-- database, in a backup or in the log, and with the mailbox's key gone nobody ever does. Some days after the failure
-- began it is erased, whether or not the item fails on.
ALTER TABLE failures ADD COLUMN name bytea;
CREATE INDEX failures_named ON failures (first_at) WHERE name IS NOT NULL;

CREATE POLICY expiry ON failures FOR UPDATE TO holdfast_owner USING (true);

CREATE FUNCTION forget_failed_names(before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH old AS (
        UPDATE public.failures SET name = NULL WHERE name IS NOT NULL AND first_at <= before RETURNING 1
    ) SELECT count(*) FROM old
$$;

-- To whom a failure belongs: a person names it by its number alone.
CREATE FUNCTION failure_place(wanted bigint) RETURNS TABLE (mailbox_id int, kind smallint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT mailbox_id, kind FROM public.failures WHERE id = wanted
$$;

REVOKE ALL ON FUNCTION forget_failed_names(timestamptz), failure_place(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_failed_names(timestamptz), failure_place(bigint) TO holdfast_daemon;
