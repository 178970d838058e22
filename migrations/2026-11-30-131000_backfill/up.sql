-- What first readings took of a CRM's calls, by the hour, so that they have a share of their own and years of mail never
-- starve who works.
CREATE TABLE crm_backfill (
    crm text NOT NULL REFERENCES crm_budgets (crm) ON DELETE CASCADE,
    hour timestamptz NOT NULL,
    calls bigint NOT NULL,
    PRIMARY KEY (crm, hour)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON crm_backfill TO holdfast_daemon;

ALTER TABLE crm_budgets ADD COLUMN backfill_percent smallint NOT NULL DEFAULT 100;
