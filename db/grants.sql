-- Who may do what: a service writes what it owns (CONTRACT 2) and reads what it needs. Idempotent, applied after every migration.
-- Roles cannot log in until an operator (or `up`) gives them a password; the owners of the trail and of functions never can.
do $$
declare
  role text;
begin
  foreach role in array array['taskflow_chat_api', 'taskflow_notification_service', 'taskflow_reminder_service',
    'taskflow_audit_logger', 'taskflow_recurring_task_processor',
    'taskflow_audit_owner', 'taskflow_session_reader', 'taskflow_change_recorder'] loop
    begin
      execute format('create role %I nologin', role);
    exception when duplicate_object or unique_violation then null; -- roles belong to the server, not to this database
    end;
    execute format('grant usage on schema public to %I', role);
    -- Not from the owner of tables: it would have no rights on its own any more.
    continue when role = 'taskflow_audit_owner';
    execute format('revoke all on all tables in schema public from %I', role);
  end loop;
end $$;

-- What every role of the server has unless it is taken away (CREATE: in databases made before PostgreSQL 15). A service makes
-- no objects, and those of its own are what a function of somebody else can be tricked with. Only a warning from Postgres
-- when the database is not ours to close: applyGrants tells.
do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
  revoke create on schema public from public;
  revoke execute on function lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) from public; -- large objects
end $$;

grant select, insert, update, delete on users, sessions, refresh_tokens, account_codes, tasks to taskflow_chat_api;
