-- A meeting that became private, and of which the policy shows no more than that its owner is busy, keeps none of its
-- files on its record either: what waits here for it is not carried, and what was carried comes off.
ALTER TABLE transfers ADD COLUMN take_off boolean NOT NULL DEFAULT false;
