import { expect, test } from 'bun:test';
import { freePorts } from '../machine/port.ts';
import { startPair } from './fixture.ts';

test('a taken port is an error and leaves nothing open', async () => {
  const [free = 0, taken = 0] = freePorts(2);
  const holder = Bun.listen({ hostname: '127.0.0.1', port: taken, socket: { data() {} } });
  const apps = [
    { appId: 'audit-logger', httpPort: free },
    { appId: 'chat-api', httpPort: taken },
  ];
  await expect(startPair({ port: 0 }, { apps })).rejects.toThrow('in use');
  await expect(fetch(`http://127.0.0.1:${free}/v1.0/healthz`)).rejects.toThrow();
  holder.stop(true);
});
