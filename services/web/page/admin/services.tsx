import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Heading } from '../parts/heading.tsx';
import { isWell, lookAround, type Running, sentenceOf } from './running.ts';

const LOOK_MS = 5_000;

const words: Record<Running['status'], string> = {
  ready: 'ready',
  answers: 'answers',
  degraded: 'runs, with something missing that it can do without',
  unready: 'runs, but cannot work',
  away: 'does not answer',
};

/** Whether each part works, and in which version: looked up again and again while the screen is open. */
export default function ServicesScreen() {
  const services = useSignal<Running[] | null>(null);
  const isAway = useSignal(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isWanted = true;
    async function look(): Promise<void> {
      const found = document.visibilityState === 'visible' ? await lookAround() : services.value;
      if (!isWanted) return;
      isAway.value = found === null && document.visibilityState === 'visible';
      services.value = found ?? services.value;
      timer = setTimeout(look, LOOK_MS);
    }
    void look();
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, []);
  const { value: found } = services;
  const isTroubled = isAway.value || found?.every(isWell) === false;
  return (
    <>
      <Heading name="What runs" />
      <p class={isTroubled ? 'refusal above' : 'hint above'} role="status">
        {isAway.value ? 'TaskFlow cannot be reached. Trying again …' : found === null ? 'Looking …' : sentenceOf(found)}
      </p>
      <ul class="services">
        {found?.map((one) => (
          <Service key={one.name} one={one} />
        ))}
      </ul>
      <p class="hint small-text">
        What waits in the outbox, in topics and among dead letters is in the metrics of each service, and{' '}
        <code>bun run ops</code> shows it.{' '}
        <a href="/docs" target="_blank">
          The API
        </a>{' '}
        is described, and can be tried.
      </p>
    </>
  );
}

function Service({ one }: { one: Running }) {
  const { name, status, version, commit, checks } = one;
  const failing = Object.entries(checks).filter(([, result]) => result !== 'ok');
  return (
    <li>
      <p>
        <b>{name}</b>
        <span class="hint">{what[name]}</span>
      </p>
      <p class={`state is-${isWell(one) ? (status === 'degraded' ? 'wait' : 'live') : 'away'}`}>{words[status]}</p>
      <p class="hint">
        {version}
        {commit && ` · ${commit.slice(0, 12)}`}
      </p>
      {failing.map(([check, result]) => (
        <p key={check} class="why">
          {check}: {result}
        </p>
      ))}
    </li>
  );
}

const what: Record<string, string> = {
  'chat-api': 'accounts and tasks',
  'notification-service': 'live updates and the inbox',
  'reminder-service': 'reminders',
  'audit-logger': 'the trail',
  'recurring-task-processor': 'the dates of series',
  web: 'this page',
};
