drop index tasks_pending_reminders;
