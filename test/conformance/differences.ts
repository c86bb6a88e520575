// Where the stand-in is not as daprd with Kafka, and why it stays so. All other rows hold on both; of these each side's is
// asserted. Times are in ms: at least, and less than.

/** Also for what is asked of daprd alone: gRPC, which the stand-in does not have. */
export const isReal = process.env.TASKFLOW_SIDECAR === 'real';

export const differences = {
  /** From the kill of one of two sidecars until the other has delivered all. */
  takeOverMs: differs({
    standIn: [0, 5000],
    real: [5000, 30_000],
    because: 'Kafka gives a killed member up after its session of 10 s; in one process everybody knows at once',
  }),
  /** The slowest of six publishes to a broker that was stopped: 500, all of them. */
  stoppedBrokerMs: differs({
    standIn: [0, 500],
    real: [500, 5000],
    because: 'the Kafka client dials again until its circuit breaker opens; there is nothing to dial in the stand-in',
  }),
  /** What an event of another topic waits while the app does not answer one. */
  behindHangingMs: differs({
    standIn: [0, 6000],
    real: [8000, 15_000],
    because:
      'only daprd must have one call at a time: with more it can count a call that found nobody listening as answered, and that event is lost',
  }),
};

type Range = [atLeast: number, lessThan: number];

function differs({ standIn, real }: { standIn: Range; real: Range; because: string }): Range {
  return isReal ? real : standIn;
}
