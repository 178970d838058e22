-- The calls of a CRM's own window: what it said of them last, and what is in the purses of the nodes. A node fetches
-- calls in chunks, so the row of a CRM is locked once for many calls.

CREATE TABLE crm_budgets (
    crm text PRIMARY KEY,
    used bigint,
    allowed bigint,
    reserve_percent smallint NOT NULL DEFAULT 0,
    heard_at timestamptz
);

CREATE TABLE crm_purses (
    crm text NOT NULL REFERENCES crm_budgets (crm) ON DELETE CASCADE,
    node uuid NOT NULL,
    calls bigint NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (crm, node)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON crm_budgets, crm_purses TO holdfast_daemon;
