drop function search_form(text);
-- Emails stay as they are: nobody knows which of them had another form, and each still names the same account.
