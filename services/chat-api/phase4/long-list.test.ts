import { afterAll, expect, test } from 'bun:test';
import { createHouse } from '../fixture.ts';

const house = await createHouse({ phase: 4 });
afterAll(() => house.close());
const { signUp, call } = house.open({ EVENTS: 'off' });

test('a list of few tasks with much text is a long answer too: nobody has more of them unread than of those', async () => {
  const { token, user } = await signUp();
  await house.database.sql`
    insert into tasks (id, user_id, title, description)
    select gen_random_uuid(), ${user.id}, i::text, repeat('😀', 5000) from generate_series(1, 200) as i`;
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push(await call('GET', '/api/v1/tasks', { token }));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
  const [first, ...others] = answers;
  expect(await first?.json()).toHaveLength(200);
  await Promise.all(others.map(({ body }) => body?.cancel()));
});
