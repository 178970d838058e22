ALTER TABLE streams DROP COLUMN hinted_at;
DROP TABLE listen_members;
DROP TABLE listen_groups;
DROP TABLE nodes;
