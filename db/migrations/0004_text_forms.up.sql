-- Emails get the one form in which they are compared from now on: NFC, so that composed and decomposed letters are one account,
-- and σ also where a word ends, since its capital does not tell. Where another account has that form already, this one keeps
-- its own: chat-api finds both by their very letters.
update users set email = replace(normalize(email, nfc), 'ς', 'σ')
where id in (
    select distinct on (replace(normalize(email, nfc), 'ς', 'σ')) id from users
    where email <> replace(normalize(email, nfc), 'ς', 'σ')
    order by replace(normalize(email, nfc), 'ς', 'σ'), created_at, id)
  and not exists (select from users as other where other.email = replace(normalize(users.email, nfc), 'ς', 'σ'));

-- Invitations and resets go with their account; those of an account that kept its form stay as they are.
update account_codes set email = replace(normalize(email, nfc), 'ς', 'σ')
where email <> replace(normalize(email, nfc), 'ς', 'σ')
  and not exists (select from users where users.email = account_codes.email);

-- What `q` compares: text in lower case and NFC, by ICU's root collation and so the same whatever the locale of the server;
-- without ICU the server's own. The dot goes that ICU leaves on the i of İ: it is found by i. Σ is ς or σ by its place in a word,
-- which a part of it does not show: both are σ. ASCII, the most of it, takes a short way. Lower case comes first, since it may compose where capitals do not (J̌). Plain SQL, so that it is inlined.
do $do$
begin
  execute format(
    $function$
      create function search_form(given text) returns text language sql immutable parallel safe return
        case
          when octet_length(given) = char_length(given) then lower(given collate "C") collate %1$I
          when lower(given collate %1$I) is nfc normalized then translate(replace(lower(given collate %1$I), 'i' || chr(775), 'i'), 'ς', 'σ')
          else translate(replace(normalize(lower(given collate %1$I), nfc), 'i' || chr(775), 'i'), 'ς', 'σ')
        end
    $function$,
    case when exists (select from pg_collation where collname = 'und-x-icu') then 'und-x-icu' else 'default' end);
end $do$;
