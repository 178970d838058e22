-- An undo under way: what Holdfast made and is to be removed, by ids. A row stays until it is done, so a killed
-- undo goes on where it stopped.

-- side: where it is removed. code: why it could not be.
CREATE TABLE undo_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox_id int NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
    kind smallint NOT NULL,
    side smallint NOT NULL CHECK (side IN (0, 1)),
    item_key bigint NOT NULL,
    item_id bytea,
    crm_id text COLLATE "C" NOT NULL,
    code text,
    asked_at timestamptz NOT NULL,
    UNIQUE (mailbox_id, kind, side, item_key)
);

ALTER TABLE undo_items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_mailbox ON undo_items
    USING (mailbox_id = nullif(current_setting('holdfast.mailbox', true), '')::int);

-- Which of these records another mailbox is linked to: one mail is one record for the whole organisation. The
-- caller knows the ids already; whose link it is stays unsaid.
CREATE FUNCTION linked_elsewhere(own int, of_kind smallint, ids text[]) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT l.crm_id FROM public.links l
    WHERE l.mailbox_id <> own AND l.kind = of_kind AND l.crm_id = ANY (ids)
$$;

REVOKE ALL ON FUNCTION linked_elsewhere(int, smallint, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION linked_elsewhere(int, smallint, text[]) TO holdfast_daemon;
GRANT SELECT, INSERT, UPDATE, DELETE ON undo_items TO holdfast_daemon;
