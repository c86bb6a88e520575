import { applications } from './applications.ts';
import { data } from './data.ts';
import { host } from './host.ts';
import { images } from './images.ts';
import { network } from './network.ts';
import type { Policy } from './objects.ts';
import { pods } from './pods.ts';
import { ports } from './ports.ts';
import { references } from './references.ts';
import { routes } from './routes.ts';
import { settings } from './settings.ts';
import { sidecars } from './sidecars.ts';
import { topics } from './topics.ts';

/** What a whole environment is judged by: its overlay and its data, as `kustomize build` makes them, in one list. */
export const policies: Record<string, Policy> = {
  data,
  host,
  images,
  network,
  pods,
  ports,
  references,
  routes,
  settings,
  sidecars,
  topics,
};

/** The same of `gitops/apps`. */
export const policiesOfApps: Record<string, Policy> = { applications };
