DROP INDEX mailboxes_crm_user;
DROP TABLE crm_watches;
