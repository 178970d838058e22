DROP TABLE unseen_items;
