import { join } from 'node:path';

/** README's tour as it is pasted for a TaskFlow at this URL. */
export async function readTour(url: string): Promise<string> {
  const readme = await Bun.file(join(import.meta.dir, '../../README.md')).text();
  const [tour = ''] = /^## A tour [^]*?(?=^## )/m.exec(readme) ?? [];
  return tour.replaceAll('http://localhost:8080', url);
}
