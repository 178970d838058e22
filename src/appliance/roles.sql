-- The two roles of a Holdfast database. Run once per cluster, by its superuser, before `holdfast migrate`.
-- On a cluster of your own, set passwords or another sign-in for both in the way that your site does.
CREATE ROLE holdfast_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE ROLE holdfast_daemon LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
