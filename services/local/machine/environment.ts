/**
 * What a process needs of the user's environment to run on this machine. All else stays with the user: it may hold any
 * secret of theirs, and what a child is given can be read in `/proc` and stands in its crash reports. Neither are proxies
 * handed on, since nothing that we start speaks to anything beyond the loopback and the user's own Postgres.
 */
const NEEDED = [
  // Where programs are found, and where files of the user's own and temporary ones belong.
  ...['PATH', 'HOME', 'TMPDIR', 'TMP', 'TEMP'],
  // Who it is where the system has no name for the number, as in many containers.
  ...['USER', 'LOGNAME'],
  // How the names of files are encoded, for Java, and the zone of the clock.
  ...['LANG', 'LC_ALL', 'LC_CTYPE', 'TZ'],
  // Where the system's loader finds libraries when it is not told in the program.
  ...['LD_LIBRARY_PATH', 'NIX_LD', 'NIX_LD_LIBRARY_PATH'],
  // Whom TLS trusts on the way to a Postgres of the user's own.
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  // Which Java the program of that name on the PATH starts.
  'JAVA_HOME',
  // How many requests Bun has under way at once: the drills and benchmarks raise it for what they start, too.
  'BUN_CONFIG_MAX_HTTP_REQUESTS',
];

export type Environment = Record<string, string | undefined>;

/** What every process that we start gets; beside it stands only what is meant for that one. */
export function processEnvironment(environment: Environment = process.env): Record<string, string> {
  return chosen(NEEDED, environment);
}

/** Those of the names that are set. */
export function chosen(names: string[], environment: Environment): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
