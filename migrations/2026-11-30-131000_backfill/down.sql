ALTER TABLE crm_budgets DROP COLUMN backfill_percent;
DROP TABLE crm_backfill;
