DROP FUNCTION linked_elsewhere(int, smallint, text[]);
DROP TABLE undo_items;
