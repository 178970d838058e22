-- On which record an attachment hangs. A record that somebody deleted and that was made again for an item that was
-- edited is another one, and what is attached to the item belongs on it as well. Rows from before this column hold for
-- whatever record the item has.
ALTER TABLE attachments ADD COLUMN crm_id text COLLATE "C";
