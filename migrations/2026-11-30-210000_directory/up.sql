-- Each turn must know who else is synchronised: ten thousand mailboxes are much to read ten thousand times. What a process
-- has read holds until this changes, which the mailboxes themselves see to. Never the same twice, so that a database that
-- was put back is not taken for what it was in between.
CREATE TABLE directory (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    edition uuid NOT NULL DEFAULT gen_random_uuid()
);

INSERT INTO directory DEFAULT VALUES;

CREATE FUNCTION directory_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO directory DEFAULT VALUES ON CONFLICT (one) DO UPDATE SET edition = excluded.edition;
    RETURN NULL;
END
$$;

CREATE TRIGGER directory_changed
    AFTER INSERT OR DELETE OR UPDATE OF address, crm, crm_user_id, state, state_code ON mailboxes
    FOR EACH STATEMENT EXECUTE FUNCTION directory_changed();

GRANT SELECT, INSERT, UPDATE ON directory TO holdfast_daemon;
