import type { Drill } from './drill.ts';

const STOPPED_MS = 60_000;
const KILLED_MS = 3000;
const ABSENT_MS = 20_000;
const CALM_MS = 3000;

const stopped: Drill = {
  name: 'kafka-stopped',
  about: `Kafka is stopped, and started after ${STOPPED_MS / 1000} s`,
  seconds: 130,
  replicas: { 'chat-api': 2 },
  async run({ stack }) {
    const broker = stack.sidecars.broker();
    await broker.stop();
    await Bun.sleep(STOPPED_MS);
    await broker.start();
  },
};

const killed: Drill = {
  name: 'kafka-killed',
  about: `Kafka is killed, and started after ${KILLED_MS / 1000} s`,
  seconds: 60,
  replicas: { 'chat-api': 2 },
  async run({ stack }) {
    const broker = stack.sidecars.broker();
    await broker.kill();
    await Bun.sleep(KILLED_MS);
    await broker.start();
  },
};

const absent: Drill = {
  name: 'kafka-absent',
  about: `everything starts without Kafka, which is started after ${ABSENT_MS / 1000} s of tasks`,
  seconds: 75,
  replicas: { 'chat-api': 2 },
  brokerAtStart: false,
  async run({ stack }) {
    await Bun.sleep(ABSENT_MS);
    await stack.sidecars.broker().start();
  },
};

const rolling: Drill = {
  name: 'kafka-rolling-restart',
  about: 'one of three brokers after the other is stopped, and started again as soon as it has ended, 2 times around',
  seconds: 200,
  replicas: { 'chat-api': 2, 'notification-service': 2 },
  severalBrokers: true,
  async run({ stack }, say) {
    for (let around = 1; around <= 2; around++) {
      for (const [i, node] of stack.sidecars.nodes().entries()) {
        say(`broker ${i + 1} is restarted`);
        await node.stop();
        await node.start(); // resolves when it is in step again, as an operator of a cluster waits
        await Bun.sleep(CALM_MS);
      }
    }
  },
};

export const brokerDrills = [stopped, killed, absent, rolling];
