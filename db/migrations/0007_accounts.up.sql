-- Where a session was opened, for its owner to recognise, until it ends; and what knows its device again afterwards: the
-- SHA-256 of a cookie that the login set.
alter table sessions
  add column device text,
  add column address text,
  add column device_hash bytea;

-- The hourly purge looks for what has expired.
create index sessions_expires_at on sessions (expires_at);
