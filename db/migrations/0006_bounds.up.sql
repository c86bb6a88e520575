-- The due series of one user, in the order in which they are due: users take turns, so that nobody waits for another's thousands.
create index tasks_due_series on tasks (user_id, next_instance_at, id) where next_instance_at is not null;
