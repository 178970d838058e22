-- The names of a mailbox's account in the directory: impersonation by user principal name or security
-- identifier saves the server a look-up for each request, and reaches mailboxes whose address is ambiguous.
-- An administrator types them; they are settings like the address.
ALTER TABLE mailboxes ADD COLUMN upn text, ADD COLUMN sid text;
