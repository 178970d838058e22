DROP TABLE contents;
DROP TABLE attachments;
DROP TABLE transfers;
