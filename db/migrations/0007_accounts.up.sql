-- What knows a device again after its logout: the SHA-256 of a cookie that its login set. It ends with the row.
alter table sessions add column device_hash bytea;

-- The hourly purge looks for what has expired.
create index sessions_expires_at on sessions (expires_at);
