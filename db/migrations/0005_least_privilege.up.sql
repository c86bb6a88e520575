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

-- A change that cannot be made into an event is set aside with its reason and holds back its own task, no other.
alter table unpublished_changes
  add column parked_at timestamptz,
  add column parked_reason text;
create index unpublished_changes_task on unpublished_changes (task_id, seq);
create index unpublished_changes_parked on unpublished_changes (task_id) where parked_at is not null;

-- A service reads and changes its own dead letters: taskflow_audit_logger those of audit-logger. The tables' owner all.
alter table dead_letters enable row level security;
create policy dead_letters_of_this_service on dead_letters
  using (app_id = replace(substr(current_user::text, length('taskflow_') + 1), '_', '-'));

-- Sessions that let somebody in. The functions below are what services other than chat-api see of accounts: nobody is found
-- whose session or token is not known already, and no hash is given.
create view live_sessions as
  select s.id, s.user_id, s.kind, s.name, s.scopes, s.expires_at, s.token_hash, u.email, u.role
  from sessions s join users u on u.id = s.user_id
  where s.revoked_at is null and coalesce(s.expires_at > now(), true) and u.disabled_at is null;

create function live_session(session_id uuid)
returns table (id uuid, user_id uuid, kind text, name text, scopes text[], expires_at timestamptz, email text, role text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select l.id, l.user_id, l.kind, l.name, l.scopes, l.expires_at, l.email, l.role
  from public.live_sessions l where l.id = session_id;
end;

create function live_session_by_token(token_hash bytea)
returns table (id uuid, user_id uuid, kind text, name text, scopes text[], expires_at timestamptz, email text, role text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select l.id, l.user_id, l.kind, l.name, l.scopes, l.expires_at, l.email, l.role
  from public.live_sessions l where l.token_hash = live_session_by_token.token_hash;
end;

create function live_session_ids(session_ids uuid[]) returns setof uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select l.id from public.live_sessions l where l.id = any (session_ids);
end;
revoke all on function live_session(uuid), live_session_by_token(bytea), live_session_ids(uuid[]) from public;
