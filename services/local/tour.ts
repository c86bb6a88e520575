import { join } from 'node:path';

/** README's tour as it is pasted for a TaskFlow on this port. */
export async function readTour(port: number): Promise<string> {
  const readme = await Bun.file(join(import.meta.dir, '../../README.md')).text();
  const [tour = ''] = /^## A tour [^]*?(?=^## )/m.exec(readme) ?? [];
  return tour.replaceAll('localhost:8080', `localhost:${port}`);
}
