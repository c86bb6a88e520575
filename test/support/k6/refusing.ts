/** The same object, which throws where k6 has more than this runner does, in place of answering undefined. */
export function refusing<T extends object>(name: string, known: T): T & Record<string, unknown> {
  return new Proxy(known, {
    get(target, key, receiver) {
      // `then` is asked for by `await` of anything.
      if (key in target || typeof key === 'symbol' || key === 'then')
        return Reflect.get(target, key, receiver) as unknown;
      throw new Error(`${name}.${key} is not known to this runner`);
    },
  }) as T & Record<string, unknown>;
}
