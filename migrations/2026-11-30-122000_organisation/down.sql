ALTER TABLE streams DROP COLUMN crm_organisation;
