-- What a service's role could do beyond its work. Functions that run with the rights of their owner follow PostgreSQL's
-- "Writing SECURITY DEFINER Functions Safely": pg_temp stands last in the path (unnamed it comes first, for types too: a
-- domain `date` of the caller's own ran as the owner of the trail), ours is named by its schema, and EXECUTE is taken from
-- PUBLIC. db/grants-phase5.sql says who has it, and gives each function an owner that can do nothing else.

-- Stays a definer's: a role that may change tasks and knows nothing of this table (Phase IV, SQL by hand) is recorded too.
-- The roles that write tasks could hide a change by the setting taskflow.publishes: chat-api alone is one.
create or replace function record_unpublished_change() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Before anything else: a table of the caller's own brings its own types, whose casts would run as the owner.
  if tg_relid <> 'public.tasks'::regclass then
    raise exception 'record_unpublished_change() records changes of public.tasks alone' using errcode = 'insufficient_privilege';
  end if;
  insert into public.unpublished_changes (operation, task_id, old_row, new_row)
  values (tg_op, coalesce(new.id, old.id), case when tg_op <> 'INSERT' then to_jsonb(old) end, case when tg_op <> 'DELETE' then to_jsonb(new) end);
  return null;
end $$;
revoke all on function record_unpublished_change() from public;

alter function audit_add_month(date) set search_path = pg_catalog, pg_temp;
