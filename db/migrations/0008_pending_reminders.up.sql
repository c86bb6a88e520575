-- When a reminder comes at the latest: to the minute where its offset has hours, within an hour where days of the calendar
-- count, for clocks that change in between. Of a mere date it comes at 09:00, 15 hours before that day ends (CONTRACT 5 and 8).
create function latest_reminder_at(snoozed_until timestamptz, due_date timestamptz, due_all_day boolean, reminder_offset interval)
returns timestamptz language sql immutable parallel safe return
  coalesce(snoozed_until, (
    due_date at time zone 'UTC' - reminder_offset
    - case when due_all_day then interval '15 hours' else interval '0' end
    + case when due_all_day or extract(day from reminder_offset) > 0 then interval '1 hour' else interval '0' end
  ) at time zone 'UTC');
-- What chat-api counts of reminders that are overdue, from outside the service that fires them (CONTRACT 8): a look at each scrape.
create index tasks_pending_reminders on tasks (latest_reminder_at(snoozed_until, due_date, due_all_day, reminder_offset))
  where reminder_status = 'pending';
