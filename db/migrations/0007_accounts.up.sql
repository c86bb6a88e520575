-- Where a session was opened, for its owner to recognise, until it ends; and what knows its device again afterwards: the
-- SHA-256 of a cookie that the login set.
alter table sessions
  add column device text,
  add column address text,
  add column device_hash bytea;

-- The hourly purge looks for what has expired.
create index sessions_expires_at on sessions (expires_at);

-- When an invitation of the operator made the account; null: it signed up by itself. ADMIN_EMAILS asks for it. A code is
-- spent in the transaction that makes its account, so both have the same time.
alter table users add column invited_at timestamptz;
update users set invited_at = used_at from account_codes
where kind = 'invite' and account_codes.email = users.email and used_at = users.created_at;
