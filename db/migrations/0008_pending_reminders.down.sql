drop index tasks_pending_reminders;
drop function latest_reminder_at(timestamptz, timestamptz, boolean, interval);
