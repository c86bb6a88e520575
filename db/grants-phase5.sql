grant select, insert, update, delete on idempotency_keys, outbox, unpublished_changes, dead_letters to taskflow_chat_api;
grant select, insert, update, delete on notifications, notification_counters, notification_preferences, dead_letters to taskflow_notification_service;
grant select, insert, update, delete on reminder_schedule, dead_letters to taskflow_reminder_service;
grant select, insert, update, delete on dead_letters to taskflow_audit_logger;
grant select, insert on task_events to taskflow_audit_logger;
grant select on tasks to taskflow_recurring_task_processor;
grant select (id, disabled_at) on users to taskflow_recurring_task_processor;

-- Functions run as owners that have what the function needs and nothing else. Taken from PUBLIC here too: a database restored
-- without privileges has given EXECUTE to everybody again.
grant insert on unpublished_changes to taskflow_change_recorder;
revoke all on function record_unpublished_change(), audit_add_month(date) from public;
grant execute on function audit_add_month(date) to taskflow_audit_logger;

-- An owner must be able to create in the schema when it is given something, and who gives it must be a member. A superuser
-- needs neither, the owner of a database elsewhere both.
do $$
declare
  role text;
begin
  foreach role in array array['taskflow_audit_owner', 'taskflow_change_recorder'] loop
    execute format('grant create on schema public to %I', role);
    if not (select rolsuper from pg_roles where rolname = current_user) then
      execute format('grant %I to current_user', role);
    end if;
  end loop;
end $$;
alter function record_unpublished_change() owner to taskflow_change_recorder;
revoke create on schema public from taskflow_change_recorder;

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
