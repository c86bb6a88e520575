grant select, insert, update, delete on idempotency_keys, outbox, unpublished_changes, dead_letters to taskflow_chat_api;
grant select, insert, update, delete on notifications, notification_counters, notification_preferences, dead_letters to taskflow_notification_service;
grant select, insert, update, delete on reminder_schedule, dead_letters to taskflow_reminder_service;
grant select, insert, update, delete on dead_letters to taskflow_audit_logger;
grant select, insert on task_events to taskflow_audit_logger;
grant execute on function audit_add_month(date) to taskflow_audit_logger;
grant select on tasks to taskflow_recurring_task_processor;
grant select (id, disabled_at) on users to taskflow_recurring_task_processor;

-- The trail belongs to a role that cannot log in, so the service that writes it cannot change it.
grant create on schema public to taskflow_audit_owner;
do $$
declare
  partition regclass;
begin
  for partition in select inhrelid::regclass from pg_inherits where inhparent = 'task_events'::regclass loop
    execute format('alter table %s owner to taskflow_audit_owner', partition);
  end loop;
end $$;
alter table task_events owner to taskflow_audit_owner;
alter function audit_add_month(date) owner to taskflow_audit_owner;
