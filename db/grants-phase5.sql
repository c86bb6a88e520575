grant select, insert, update, delete on idempotency_keys, outbox to taskflow_chat_api;
-- Rows come by the trigger alone. They are parked, corrected, and deleted when their event is written.
grant select, delete, update (old_row, new_row, parked_at, parked_reason) on unpublished_changes to taskflow_chat_api;
grant select, insert, update, delete on notifications to taskflow_notification_service;
grant select, insert, update on notification_counters, notification_preferences to taskflow_notification_service;
grant select, insert, update, delete on reminder_schedule to taskflow_reminder_service;
grant select, insert on task_events to taskflow_audit_logger;
-- Whose rows: see the policy of the table.
grant select, insert, delete, update (replayed_at) on dead_letters
  to taskflow_chat_api, taskflow_notification_service, taskflow_reminder_service, taskflow_audit_logger;
-- When series fall due, not what they say.
grant select (id, user_id, recurrence_pattern, due_date, due_all_day, timezone, recurrence_end_date, recurrence_end_day, exdates, catch_up,
  reminder_offset, cursor_date, next_instance_at) on tasks to taskflow_recurring_task_processor;
grant select (id, disabled_at) on users to taskflow_recurring_task_processor, taskflow_reminder_service;

-- Functions run as owners that have what the function needs and nothing else. Taken from PUBLIC here too: a database restored
-- without privileges has given EXECUTE to everybody again. (search_form and latest_reminder_at run as their caller, who alone needs them.)
grant select on live_sessions to taskflow_session_reader;
grant insert on unpublished_changes to taskflow_change_recorder;
revoke all on function record_unpublished_change(), audit_add_month(date),
  live_session(uuid), live_session_by_token(bytea), live_session_ids(uuid[]), search_form(text),
  latest_reminder_at(timestamptz, timestamptz, boolean, interval) from public;
grant execute on function search_form(text), latest_reminder_at(timestamptz, timestamptz, boolean, interval) to taskflow_chat_api;
-- Every service checks sessions for itself; a revoked one must end everywhere within a second.
grant execute on function live_session(uuid), live_session_by_token(bytea)
  to taskflow_notification_service, taskflow_reminder_service, taskflow_audit_logger;
grant execute on function live_session_ids(uuid[]) to taskflow_notification_service;
grant execute on function audit_add_month(date) to taskflow_audit_logger;

-- An owner must be able to create in the schema when it is given something, and who gives it must be a member. A superuser
-- needs neither, the owner of a database elsewhere both.
do $$
declare
  role text;
begin
  foreach role in array array['taskflow_audit_owner', 'taskflow_session_reader', 'taskflow_change_recorder'] loop
    execute format('grant create on schema public to %I', role);
    if not (select rolsuper from pg_roles where rolname = current_user) then
      execute format('grant %I to current_user', role);
    end if;
  end loop;
end $$;
alter function live_session(uuid) owner to taskflow_session_reader;
alter function live_session_by_token(bytea) owner to taskflow_session_reader;
alter function live_session_ids(uuid[]) owner to taskflow_session_reader;
alter function record_unpublished_change() owner to taskflow_change_recorder;
revoke create on schema public from taskflow_session_reader, taskflow_change_recorder;

-- The trail belongs to a role that cannot log in, so the service that writes it cannot change it. It makes its partitions.
do $$
declare
  partition regclass;
begin
  for partition in select inhrelid::regclass from pg_inherits where inhparent = 'task_events'::regclass loop
    execute format('alter table %s owner to taskflow_audit_owner', partition);
  end loop;
end $$;
alter table task_events owner to taskflow_audit_owner;
grant all on task_events to taskflow_audit_owner; -- its own, which earlier versions of these grants took away
alter function audit_add_month(date) owner to taskflow_audit_owner;
