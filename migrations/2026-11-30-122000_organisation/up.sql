-- With which organisation of the CRM a stream was last synchronised to its end: a sandbox that was refreshed is another
-- one, and its records have other ids. Null until the CRM has said it.
ALTER TABLE streams ADD COLUMN crm_organisation text;
