ALTER TABLE attachments DROP COLUMN crm_id;
