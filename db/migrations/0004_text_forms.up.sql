-- Emails get the one form in which they are compared from now on, NFC, so that composed and decomposed letters are one
-- account. Where another account has that form already, this one keeps its own: chat-api finds both by their very letters.
update users set email = normalize(email, nfc)
where id in (
    select distinct on (normalize(email, nfc)) id from users
    where email is not nfc normalized order by normalize(email, nfc), created_at, id)
  and not exists (select from users as other where other.email = normalize(users.email, nfc));

-- Invitations and resets go with their account; those of an account that kept its form stay as they are.
update account_codes set email = normalize(email, nfc)
where email is not nfc normalized and not exists (select from users where users.email = account_codes.email);
