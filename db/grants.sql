-- Who may do what: a service writes what it owns (CONTRACT 2) and reads what it needs. Idempotent, applied after every migration.
-- Roles cannot log in until an operator (or `up`) gives them a password; audit_owner never can.
do $$
declare
  role text;
begin
  foreach role in array array['taskflow_chat_api', 'taskflow_notification_service', 'taskflow_reminder_service',
    'taskflow_audit_logger', 'taskflow_recurring_task_processor', 'taskflow_audit_owner'] loop
    begin
      execute format('create role %I nologin', role);
    exception when duplicate_object or unique_violation then null; -- roles belong to the server, not to this database
    end;
    execute format('revoke all on all tables in schema public from %I', role);
    execute format('grant usage on schema public to %I', role);
  end loop;
end $$;

-- Every service checks sessions for itself; a revoked one must end everywhere within a second.
grant select on users, sessions to taskflow_chat_api, taskflow_notification_service, taskflow_reminder_service, taskflow_audit_logger;
grant select, insert, update, delete on users, sessions, refresh_tokens, account_codes, tasks to taskflow_chat_api;
