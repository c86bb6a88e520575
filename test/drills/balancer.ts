import { mayKeepConnection } from '../../services/local/machine/once.ts';
import { codeOf } from '../../services/local/machine/refusal.ts';

export type Balancer = ReturnType<typeof createBalancer>;

/**
 * Sends requests as the Service of a cluster does: to the replicas in turn, to the next one when a connection is refused.
 * `away` and `back` are what the cluster does when it stops a replica and when that is ready again.
 */
export function createBalancer(replicas: { name: string; origin: string }[]) {
  const gone = new Set<string>();
  let turn = 0;

  return {
    async send(path: string, init: RequestInit): Promise<Response> {
      const present = replicas.filter(({ name }) => !gone.has(name));
      const candidates = present.length > 0 ? present : replicas;
      const first = turn++;
      let refusal: unknown;
      for (let i = 0; i < candidates.length; i++) {
        const { origin = '' } = candidates[(first + i) % candidates.length] ?? {};
        try {
          return await fetch(origin + path, { ...init, keepalive: mayKeepConnection(init.method) });
        } catch (error) {
          // Only then it is sure that nobody has begun with it.
          if (codeOf(error) !== 'ECONNREFUSED') throw error;
          refusal = error;
        }
      }
      throw refusal;
    },
    away: (name: string) => void gone.add(name),
    back: (name: string) => void gone.delete(name),
  };
}
