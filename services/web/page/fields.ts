/** Fields of the API by the names that forms give them. */
export const labels: ReadonlyMap<string, string> = new Map([
  ['title', 'Title'],
  ['description', 'Notes'],
  ['due_date', 'Due'],
  ['timezone', 'Time zone'],
  ['recurrence_pattern', 'Repeat'],
  ['recurrence_end_date', 'Last day'],
  ['catch_up', 'Dates missed while away'],
  ['reminder_offset', 'Reminder'],
  ['reminder_status', 'Reminder is'],
  ['snoozed_until', 'Snoozed until'],
  ['priority', 'Priority'],
  ['name', 'Name of the program'],
  ['scopes', 'What it may do'],
  ['expires_in_days', 'For'],
  ['email', 'Email'],
  ['password', 'Password'],
  ['invite_code', 'Invite code'],
  ['current', 'Current password'],
  ['new', 'New password'],
]);

/** What the API says of a field (`description: at most …`), with the name that the field has for a person; the reason stays. */
export function inWords(message: string): { field: string | null; text: string } {
  const [, field = '', reason = ''] = /^([a-z_]+): (.*)$/s.exec(message) ?? [];
  const label = labels.get(field);
  return label === undefined ? { field: null, text: message } : { field, text: `${label}: ${reason}` };
}
