-- The end of a series that was given as a date, as what it is. No check ties the two columns: the version before writes the
-- instant alone, and may move or clear it beside a date that it does not know.
alter table tasks add column recurrence_end_day date;
comment on column tasks.recurrence_end_day is 'of a series: its last date, when the end was given as a date; recurrence_end_date is then the last instant of that day in the zone of the series';
