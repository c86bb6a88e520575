drop index tasks_due_series;
