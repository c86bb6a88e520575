-- Phase V: due dates, recurrence, reminders, events, inbox, audit. Every column added to a Phase IV table is nullable.

alter table users
  add column role text check (role = 'admin'),
  add column timezone text,
  add column disabled_at timestamptz;

alter table tasks
  add column priority text check (priority in ('low', 'medium', 'high', 'urgent')),
  add column due_date timestamptz,
  add column due_all_day boolean,
  add column timezone text,
  add column recurrence_pattern text,
  add column recurrence_end_date timestamptz,
  add column catch_up text check (catch_up in ('latest', 'all', 'none')),
  add column exdates date[],
  add column next_instance_at timestamptz,
  add column cursor_date date,
  add column parent_recurring_task_id uuid references tasks (id) on delete cascade,
  add column occurrence_date date,
  add column reminder_offset interval,
  add column reminder_status text check (reminder_status in ('pending', 'sent', 'acknowledged', 'cancelled')),
  add column snoozed_until timestamptz,
  add column version integer,
  add constraint tasks_pattern_needs_due_date check (recurrence_pattern is null or due_date is not null),
  add constraint tasks_end_needs_pattern check (recurrence_end_date is null or recurrence_pattern is not null),
  add constraint tasks_instance_has_both check ((parent_recurring_task_id is null) = (occurrence_date is null)),
  add constraint tasks_offset_needs_due_date check (reminder_offset is null or due_date is not null),
  add constraint tasks_occurrence_once unique (parent_recurring_task_id, occurrence_date);
comment on column tasks.cursor_date is 'of a series: the newest local date handled; it only moves forward, so a deleted instance never comes back';
comment on column tasks.next_instance_at is 'of a series: when the processor must look at it again (the next occurrence less the horizon)';
create index tasks_next_instance_at on tasks (next_instance_at) where next_instance_at is not null;
create index tasks_due_date on tasks (user_id, due_date) where due_date is not null;

create table idempotency_keys (
  user_id uuid not null references users (id) on delete cascade,
  path text not null,
  key text not null check (char_length(key) between 1 and 255),
  request_hash bytea not null,
  status integer not null,
  headers jsonb not null,
  body text not null,
  created_at timestamptz not null default now(),
  primary key (user_id, path, key)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);

-- One row an event, written in the transaction of its change. No foreign key: the event of a deletion outlives its task.
create table outbox (
  seq bigint generated always as identity primary key,
  event_id uuid not null unique,
  event_type text not null,
  task_id uuid not null,
  task_version integer not null,
  event jsonb not null,
  traceparent text,
  created_at timestamptz not null default now(),
  claimed_until timestamptz,
  sent_at timestamptz,
  parked_at timestamptz,
  parked_reason text,
  unique (task_id, task_version)
);
create index outbox_unsent on outbox (seq) where sent_at is null;
create index outbox_unsent_task on outbox (task_id, task_version) where sent_at is null;
create index outbox_sent_at on outbox (sent_at) where sent_at is not null;

-- What code that does not publish (Phase IV, SQL by hand) did to tasks, until chat-api makes events of it.
create table unpublished_changes (
  seq bigint generated always as identity primary key,
  operation text not null check (operation in ('INSERT', 'UPDATE', 'DELETE')),
  task_id uuid not null,
  old_row jsonb,
  new_row jsonb,
  changed_at timestamptz not null default clock_timestamp()
);

create function record_unpublished_change() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into public.unpublished_changes (operation, task_id, old_row, new_row)
  values (tg_op, coalesce(new.id, old.id), case when tg_op <> 'INSERT' then to_jsonb(old) end, case when tg_op <> 'DELETE' then to_jsonb(new) end);
  return null;
end $$;

-- A session announces that it publishes by the setting taskflow.publishes (chat-api sends it when it connects).
create trigger tasks_unpublished_change after insert or update or delete on tasks
  for each row when (current_setting('taskflow.publishes', true) is distinct from 'on')
  execute function record_unpublished_change();

create table reminder_schedule (
  reminder_id uuid primary key,
  task_id uuid not null,
  user_id uuid not null,
  slot smallint not null default 0,
  task_version integer not null,
  trigger_at timestamptz,
  reminder_type text not null default 'due_date_reminder',
  status text not null check (status in ('pending', 'triggered', 'cancelled')),
  claimed_at timestamptz,
  published_at timestamptz,
  title text not null,
  due_date text,
  offset_triggered text,
  recipients uuid[] not null,
  correlation_id uuid not null,
  traceparent text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (task_id, slot),
  check (status <> 'pending' or trigger_at is not null)
);
create index reminder_schedule_pending on reminder_schedule (trigger_at) where status = 'pending';
create index reminder_schedule_unpublished on reminder_schedule (claimed_at) where status = 'triggered' and published_at is null;
create index reminder_schedule_user_id on reminder_schedule (user_id, trigger_at) where status = 'pending';

create table notification_counters (
  user_id uuid primary key,
  last_seq bigint not null,
  purged_through bigint not null default 0
);

create table notifications (
  user_id uuid not null,
  seq bigint not null,
  event_id uuid not null,
  type text not null,
  notify boolean not null,
  payload jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  read_at timestamptz,
  primary key (user_id, seq),
  unique (user_id, event_id)
);
create index notifications_created_at on notifications (created_at);

create table notification_preferences (
  user_id uuid primary key,
  level text not null check (level in ('all', 'critical', 'none')),
  updated_at timestamptz not null default now()
);

-- What a consumer refused for good. event_id is text: a poison record need not hold a UUID.
create table dead_letters (
  app_id text not null,
  event_id text not null,
  topic text not null,
  envelope jsonb not null,
  stored_at timestamptz not null default now(),
  replayed_at timestamptz,
  primary key (app_id, event_id)
);
create index dead_letters_stored_at on dead_letters (stored_at);

create table task_events (
  event_id uuid not null,
  event_type text not null,
  task_id uuid not null,
  user_id uuid not null,
  "timestamp" timestamptz not null,
  payload jsonb not null,
  correlation_id uuid not null,
  partition_key date not null,
  stored_at timestamptz not null default clock_timestamp(),
  payload_mac bytea not null,
  primary key (event_id, partition_key)
) partition by range (partition_key);
create index task_events_task_id on task_events (task_id, "timestamp");
create index task_events_user_id on task_events (user_id, "timestamp");
create index task_events_event_type on task_events (event_type, "timestamp");
create index task_events_correlation_id on task_events (correlation_id);
create index task_events_timestamp on task_events ("timestamp", event_id);

-- Adds the partition of the month that holds the day. The audit logger may call it and may not create tables itself.
-- Made apart and then attached: that lets inserts go on, while "create table … partition of" would lock them out.
create function audit_add_month(day date) returns void language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  first date := date_trunc('month', day)::date;
  name text := 'task_events_' || to_char(first, 'YYYY_MM');
begin
  perform set_config('lock_timeout', '2s', true);
  perform pg_advisory_xact_lock(hashtext('audit_add_month'));
  if to_regclass('public.' || name) is null then
    execute format('create table public.%I (like public.task_events including all)', name);
    execute format('alter table public.task_events attach partition public.%I for values from (%L) to (%L)', name, first, (first + interval '1 month')::date);
  end if;
end $$;
revoke all on function audit_add_month(date) from public;
