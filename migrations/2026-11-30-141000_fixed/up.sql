-- Records that must not be written, because the CRM would change others with them: the dates of an event series of
-- Salesforce's Lightning Experience. The mailbox's news come without the record; so its link says it.
ALTER TABLE links ADD COLUMN fixed boolean NOT NULL DEFAULT false;
