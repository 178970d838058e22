DROP TABLE kept_meetings;
