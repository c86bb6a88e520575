-- What chat-api counts of reminders that are overdue, from outside the service that fires them (CONTRACT 8): a look at each scrape.
create index tasks_pending_reminders on tasks ((coalesce(snoozed_until, due_date))) where reminder_status = 'pending';
