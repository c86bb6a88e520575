import { describe, expect, test } from 'bun:test';
import { readOptions } from './options.ts';
import { Refusal } from './machine/refusal.ts';

describe('readOptions', () => {
  test('serves on 8080 with everything of our own by default', () => {
    const defaults = {
      help: false,
      fresh: false,
      yes: false,
      real: false,
      watch: false,
      port: 8080,
      host: '127.0.0.1',
      databaseUrl: undefined,
      daprHttpPort: undefined,
    };
    expect(readOptions([], {})).toEqual(defaults);
    expect(readOptions([], { DATABASE_URL: '', DAPR_HTTP_PORT: '' })).toEqual(defaults);
  });

  test('takes flags and the parts that the user brings', () => {
    const environment = { DATABASE_URL: 'postgres://me@db/x', DAPR_HTTP_PORT: '3500' };
    expect(readOptions(['--fresh', '--yes', '--port', '9000', '--host', '0.0.0.0'], environment)).toEqual({
      help: false,
      fresh: true,
      yes: true,
      real: false,
      watch: false,
      port: 9000,
      host: '0.0.0.0',
      databaseUrl: 'postgres://me@db/x',
      daprHttpPort: 3500,
    });
  });

  test('takes --help', () => {
    expect(readOptions(['--help'], {})).toMatchObject({ help: true });
  });

  test.each([
    [['--port', '0'], {}, '--port must be a port from 1 to 65535, not "0".'],
    [['--port', '80a'], {}, '--port must be a port'],
    [['--port'], {}, '--port'],
    ...['', 'localhost', '192.0.2.2:80', '0.0.0.0/0', 'a b'].map((host): [string[], {}, string] => [
      ['--host', host],
      {},
      '--host must be an IP address of this machine',
    ]),
    [['--host'], {}, '--host'],
    [['--prot', '1'], {}, '--prot'],
    [['all'], {}, 'all'],
    [[], { DAPR_HTTP_PORT: 'x' }, 'DAPR_HTTP_PORT must be a port'],
    [[], { DATABASE_URL: 'mysql://db' }, 'DATABASE_URL must begin with postgres://'],
    [[], { DATABASE_URL: 'postgres://me:100%@db/x' }, 'a % in it is written %25'],
  ])('refuses %j %j', (args, environment, message) => {
    const read = () => readOptions(args, environment);
    expect(read).toThrow(Refusal);
    expect(read).toThrow(message);
  });
});
