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

-- What `q` compares: text in lower case and NFC, by ICU's root collation and so the same whatever the locale of the server;
-- without ICU the server's own. The dot above goes, which ICU leaves behind of İ: it is found by i. ASCII, the most of it,
-- takes a short way. Lower case comes first, since it may compose where capitals do not (J̌). Plain SQL, so that it is inlined.
do $do$
begin
  execute format(
    $function$
      create function search_form(given text) returns text language sql immutable parallel safe return
        case
          when octet_length(given) = char_length(given) then lower(given collate "C") collate %1$I
          when lower(given collate %1$I) is nfc normalized then replace(lower(given collate %1$I), chr(775), '')
          else replace(normalize(lower(given collate %1$I), nfc), chr(775), '')
        end
    $function$,
    case when exists (select from pg_collation where collname = 'und-x-icu') then 'und-x-icu' else 'default' end);
end $do$;
