ALTER TABLE transfers DROP COLUMN take_off;
