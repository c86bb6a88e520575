import { called, type Policy, workloads } from './objects.ts';

/** By digest or by an exact tag: whatever else a name points to may be something else tomorrow, and a revert would bring that. */
export const images: Policy = (objects) =>
  workloads(objects).flatMap(({ object, pod }) =>
    pod.containers.flatMap(({ image }) => {
      const where = `${called(object)}: image ${image}`;
      const name = /^(.+?)(?::([^:/@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(image);
      const [, path = '', tag, digest] = name ?? [];
      if (!path.includes('/') || path.startsWith('taskflow/')) return [`${where} is not set in gitops/images`];
      if (digest || /^v?\d+\.\d+\.\d+([.-][\w.-]+)?$/.test(tag ?? '')) return [];
      return [`${where} must have a digest or an exact version, got ${tag ?? 'nothing'}`];
    }),
  );
