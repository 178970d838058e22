-- Who asks each CRM for everybody's news, and where he stands: one node for each CRM, by a lease. The cursor is kept, so
-- that whoever takes the watch over goes on where it ended and no stream needs to be looked at for it.
CREATE TABLE crm_watches (
    crm text PRIMARY KEY,
    lease_owner uuid,
    lease_expires timestamptz,
    -- False until the CRM has answered, and while it does not.
    watching boolean NOT NULL DEFAULT false,
    -- Opaque bytes of the connector: times, and hashes of ids.
    cursor bytea,
    -- The failure that keeps it from being watched.
    code text
);

-- News comes by the owners' ids.
CREATE INDEX mailboxes_crm_user ON mailboxes (crm, crm_user_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON crm_watches TO holdfast_daemon;
