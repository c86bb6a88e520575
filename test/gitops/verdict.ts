/** Counts what holds and what does not, and says so of each. */
export function createVerdict(print: (line: string) => void) {
  let passed = 0;
  let failed = 0;
  const reasons: string[] = [];
  return {
    pass(what: string): void {
      passed += 1;
      print(`ok      ${what}`);
    },
    fail(what: string, reason: string): void {
      failed += 1;
      reasons.push(`${what}: ${reason}`);
      print(`FAILED  ${what}: ${reason}`);
    },
    line: () => `${passed} passed, ${failed} failed, 0 skipped`,
    failed: () => failed,
    /** Of each failure what and why. */
    reasons: () => reasons,
  };
}

export type Verdict = ReturnType<typeof createVerdict>;
