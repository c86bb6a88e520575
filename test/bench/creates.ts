import { connect } from '#shared/db';
import { type Person, signUpMany } from '../support/person.ts';
import { startStack } from '../support/stack.ts';
import { perSecond, print } from './figures.ts';

const SECONDS = 4;

/** POST /tasks requests a second, beside the same rows written by bare statements through the same driver and pool. */
export async function bench(): Promise<void> {
  const stack = await startStack({ only: ['chat-api'] });
  const people = await signUpMany(stack, 32); // on two connections each at the most
  const sql = connect(stack.database.url('chat-api'), { name: 'bench', max: 16, publishes: true });
  try {
    console.log(
      '\nPOST /tasks, requests a second (limit: one bare statement of a task and an outbox row each, pool 16)',
    );
    let turn = 0;
    const person = () => people[(turn += 1) % people.length] as Person;
    const create = async () => {
      const response = await person().call('POST', '/tasks', { title: 'Measure twice', description: 'x'.repeat(100) });
      await response.arrayBuffer();
      if (response.status !== 201) throw new Error(`POST /tasks answered ${response.status}`);
    };
    const bare = () => sql`
      with task as (
        insert into tasks (id, user_id, title, description, version) values (${Bun.randomUUIDv7()}, ${person().id}, 'Measure twice', ${'x'.repeat(100)}, 1) returning id
      )
      insert into outbox (event_id, event_type, task_id, task_version, event, sent_at)
      select ${Bun.randomUUIDv7()}, 'task.created', id, 1, ${sql.json({ filler: 'x'.repeat(900) })}, now() from task`;
    await perSecond(16, 1, create);
    await perSecond(16, 1, bare);
    for (const inFlight of [8, 32, 64]) {
      const limit = await perSecond(inFlight, SECONDS, bare);
      const creates = await perSecond(inFlight, SECONDS, create);
      print(
        `${inFlight} connections`,
        `${Math.round(creates)}/s`,
        `limit ${Math.round(limit)}/s, ratio ${(creates / limit).toFixed(2)}`,
      );
    }
  } finally {
    await sql.end();
    await stack.stop();
  }
}
