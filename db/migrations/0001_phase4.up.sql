-- Phase IV: accounts and plain tasks. Immutable once released; everything later only adds to it.

create table users (
  id uuid primary key,
  email text not null unique check (email = lower(email)),
  password_hash text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- A login (kind 'login') or an API token for a program (kind 'token'); revoking the row ends both at once.
create table sessions (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  kind text not null default 'login' check (kind in ('login', 'token')),
  name text,
  scopes text[],
  token_hash bytea unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  check ((kind = 'token') = (token_hash is not null))
);
create index sessions_user_id on sessions (user_id, created_at);

-- The tokens of one session are a family: one child for each use, all revoked with the session.
create table refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references sessions (id) on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  rotated_at timestamptz
);
create index refresh_tokens_session_id on refresh_tokens (session_id);

-- Single-use codes that an operator prints: invitations to sign up and password resets.
create table account_codes (
  code_hash bytea primary key,
  kind text not null check (kind in ('invite', 'reset')),
  email text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);

create table tasks (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  title text not null check (char_length(title) between 1 and 255),
  description text check (char_length(description) <= 5000),
  completed boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index tasks_user_id on tasks (user_id, created_at desc, id desc);
