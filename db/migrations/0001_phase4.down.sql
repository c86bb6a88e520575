drop table tasks;
drop table account_codes;
drop table refresh_tokens;
drop table sessions;
drop table users;
