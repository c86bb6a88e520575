drop index tasks_pending_reminders;
create index tasks_pending_reminders on tasks ((coalesce(snoozed_until, due_date))) where reminder_status = 'pending';
drop function latest_reminder_at(timestamptz, timestamptz, boolean, interval);
