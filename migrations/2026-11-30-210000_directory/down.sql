DROP TRIGGER directory_changed ON mailboxes;
DROP FUNCTION directory_changed();
DROP TABLE directory;
