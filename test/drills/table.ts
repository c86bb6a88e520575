import type { Figures } from './findings.ts';
import type { Verdict } from './perform.ts';

const columns: { title: string; width: number; value: (verdict: Verdict) => string }[] = [
  { title: 'drill', width: -38, value: ({ drill }) => drill.name },
  { title: 'rate', width: 5, value: ({ drill, rate }) => (drill.withoutLoad ? '' : String(rate)) },
  { title: 'created', width: 8, value: figure(({ created }) => created) },
  { title: 'tasks', width: 8, value: figure(({ tasks }) => tasks) },
  { title: 'events', width: 8, value: figure(({ events }) => events) },
  { title: 'inbox', width: 8, value: figure(({ inbox }) => inbox) },
  { title: 'audit', width: 8, value: figure(({ audit }) => audit) },
  { title: 'scheduled', width: 10, value: figure(({ scheduled }) => scheduled) },
  { title: 'sent', width: 7, value: figure(({ sent }) => sent) },
  { title: 'heard', width: 8, value: figure(({ heard }) => heard) },
  { title: 'again', width: 7, value: figure(({ duplicates }) => sum(Object.values(duplicates))) },
  { title: 'lost', width: 6, value: figure(({ lost }) => lost.length) },
  { title: 'twice', width: 6, value: figure(({ doubled }) => doubled.length) },
  { title: 'order', width: 6, value: figure(({ disordered }) => disordered.length) },
  { title: 'dead', width: 6, value: figure(({ dead }) => dead.length) },
  { title: 'poison', width: 7, value: figure(({ poison }) => poison) },
  { title: 'ended', width: 7, value: figure(({ ended }) => ended.length) },
  { title: 'refused', width: 8, value: figure(({ refused }) => sum(Object.values(refused))) },
  {
    title: 'healed',
    width: 8,
    value: ({ figures }) => (figures ? seconds(Math.max(...Object.values(figures.recovery)) / 1000) : ''),
  },
  { title: 'late', width: 7, value: ({ figures }) => (figures ? `${Math.round(figures.lateMs)} ms` : '') },
  { title: 'took', width: 8, value: (verdict) => seconds(verdict.seconds) },
];

/** What the columns mean, before the first row. */
export const legend = `rate: creates a second, none in a drill that makes its own events · tasks: those not deleted, with instances
inbox, audit, scheduled, sent: what the notification service, the audit logger, the reminder service and chat-api keep · heard: by the clients
again: at least so many deliveries beyond the first, absorbed (what a process took in its last second is not seen) · healed: from the end of the fault to the last event that had waited
poison: dead letters that the drill provoked · ended: sidecars that ended by themselves · late: the load generator's own timer at p99`;

export const heading = (): string => columns.map(({ title, width }) => padded(title, width)).join('');
export const row = (verdict: Verdict): string =>
  `${columns.map(({ value, width }) => padded(value(verdict), width)).join('')}  ${verdict.outcome}${saturation(verdict)}`;

const saturation = ({ saturatedAt }: Verdict): string =>
  saturatedAt === undefined ? '' : ` (at ${saturatedAt.join(' and ')} a second the machine was saturated)`;

function figure(of: (figures: Figures) => number): (verdict: Verdict) => string {
  return ({ figures }) => (figures ? of(figures).toLocaleString('en') : '');
}

const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0);
const seconds = (value: number): string => `${value.toFixed(1)} s`;
/** A negative width is left-aligned. */
const padded = (text: string, width: number): string => (width < 0 ? text.padEnd(-width) : text.padStart(width));
