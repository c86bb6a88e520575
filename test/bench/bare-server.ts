// A server that only answers, in a process of its own: what a flood of calls costs its neighbours before anything of ours is
// done. Prints its port, and ends with its standard input.
const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json([]) });
console.log(server.port);
await new Response(Bun.stdin.stream()).text();
process.exit(0);
