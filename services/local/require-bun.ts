// Imports nothing, so that even a Bun that cannot install or parse the rest still says this.
const needed = '>=1.4.0';
if (!Bun.semver.satisfies(Bun.version, needed)) {
  console.error(
    `TaskFlow needs Bun ${needed} and this is ${Bun.version}: run \`npx -y bun@1.4.5 run up\`, or \`bun upgrade\`.`,
  );
  process.exit(2);
}
