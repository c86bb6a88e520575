alter table tasks drop column recurrence_end_day;
