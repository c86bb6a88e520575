/** Counts what holds and what does not, and says so of each. */
export function createVerdict(print: (line: string) => void) {
  let passed = 0;
  const reasons: string[] = [];
  return {
    pass(what: string): void {
      passed += 1;
      print(`ok      ${what}`);
    },
    fail(what: string, reason: string): void {
      reasons.push(`${what}: ${reason}`);
      print(`FAILED  ${what}: ${reason}`);
    },
    /** Says each failure once more, where one looks first, and the count; returns the exit code. */
    conclude(): number {
      for (const reason of reasons) print(`FAILED  ${reason}`);
      print(`${passed} passed, ${reasons.length} failed, 0 skipped`);
      return reasons.length > 0 ? 1 : 0;
    },
    /** Of each failure what and why. */
    reasons: () => reasons,
  };
}

export type Verdict = ReturnType<typeof createVerdict>;
