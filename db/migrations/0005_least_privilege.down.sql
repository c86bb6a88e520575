drop function live_session_ids(uuid[]);
drop function live_session_by_token(bytea);
drop function live_session(uuid);
drop view live_sessions;
drop policy dead_letters_of_this_service on dead_letters;
alter table dead_letters disable row level security;
drop index unpublished_changes_parked;
drop index unpublished_changes_task;
alter table unpublished_changes drop column parked_at, drop column parked_reason;
-- What was taken from PUBLIC stays taken: a trigger fires without it.
alter function audit_add_month(date) set search_path = pg_catalog, public;
create or replace function record_unpublished_change() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into public.unpublished_changes (operation, task_id, old_row, new_row)
  values (tg_op, coalesce(new.id, old.id), case when tg_op <> 'INSERT' then to_jsonb(old) end, case when tg_op <> 'DELETE' then to_jsonb(new) end);
  return null;
end $$;
