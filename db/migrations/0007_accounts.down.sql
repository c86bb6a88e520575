alter table users drop column invited_at;
drop index sessions_expires_at;
alter table sessions
  drop column device,
  drop column address,
  drop column device_hash;
