import { expect, test } from 'bun:test';
import { processEnvironment } from './environment.ts';

test('hands on what a process needs to run, and no secret, proxy or tool setting beside it', () => {
  const needed = { PATH: '/bin', HOME: '/home/olga', LC_ALL: 'de_DE.UTF-8', SSL_CERT_FILE: '/etc/ca.pem' };
  const rest = {
    AWS_SECRET_ACCESS_KEY: 'x',
    HTTPS_PROXY: 'http://me:password@proxy',
    JAVA_TOOL_OPTIONS: '-Dpassword=x',
    PGPASSWORD: 'x',
    TICK_SECONDS: '7',
  };
  expect(processEnvironment({ ...needed, ...rest })).toEqual(needed);
});
