-- The Holdfast database. UTF-8 and "C" whatever the machine's locale: identifiers are compared as bytes.
CREATE DATABASE holdfast OWNER holdfast_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
-- Not even a temporary table for anybody but the owner: the daemon has no way to make a place to store in.
REVOKE ALL ON DATABASE holdfast FROM PUBLIC;
GRANT CONNECT ON DATABASE holdfast TO holdfast_daemon;
