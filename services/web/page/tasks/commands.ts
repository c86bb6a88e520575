import type { PageTask } from '../api.ts';
import type { Command } from '../parts/commands.ts';
import { zone } from '../session.ts';
import { changes } from '../state.ts';
import { nameOf } from '../words.ts';
import { movedTo, moves } from './moving.ts';
import { canSnooze, pauses, snoozeBy } from './reminding.ts';
import { removeTasks } from './removing.ts';
import { isComing, isSeries } from './views.ts';

/** What can be done to one task or to several, each with its key: menu, keys, the bar of a selection and the palette have it from here. */
export function commandsFor(all: PageTask[]): Command[] {
  const tasks = all.filter((task) => !isComing(task));
  const plain = tasks.filter((task) => !isSeries(task));
  const open = plain.filter(({ completed }) => !completed);
  const rung = tasks.filter(canSnooze);
  const commands: Command[] = [];
  if (open.length > 0) commands.push({ name: 'Complete', key: 'x', act: () => changes.complete(...open) });
  else if (plain.length > 0) commands.push({ name: 'Open again', key: 'x', act: () => changes.reopen(...plain) });
  for (const { name, key, days } of open.length > 0 ? moves : [])
    commands.push({
      name: `Move to ${name}`,
      key: `t ${key}`,
      act: () => {
        const to = (task: PageTask) => movedTo(task, days, Date.now(), zone.value);
        changes.move(open, to, `Moved to ${name}: ${nameOf(open)}`);
      },
    });
  for (const pause of rung.length > 0 ? pauses : [])
    commands.push({
      name: `Snooze ${pause.name}`,
      key: `s ${pause.key}`,
      act: () => snoozeBy(rung, pause),
    });
  if (tasks.length > 0) commands.push({ name: wordForDelete(tasks), key: '#', act: () => removeTasks(tasks) });
  return commands;
}

export function wordForDelete(tasks: PageTask[]): string {
  if (tasks.every(({ parent_recurring_task_id: parent }) => parent !== null))
    return tasks.length === 1 ? 'Skip this date' : 'Skip these dates';
  return tasks.length === 1 && tasks.every(isSeries) ? 'Delete the series' : 'Delete';
}
