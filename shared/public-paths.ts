import type { AppId } from './frame.ts';

/**
 * What is to be had from outside, most special first; a prefix holds for whole path segments. The gateway of `up` serves these,
 * and so do the HTTPRoutes of `gitops/base/gateway`: a test compares them. All else (event delivery, health, metrics) is internal.
 */
export const publicPaths: [prefix: string, appId: AppId | null][] = [
  ['/api/v1/internal', null],
  ['/api/v1/notifications', 'notification-service'],
  ['/api/v1/audit', 'audit-logger'],
  ['/api/v1/reminders', 'reminder-service'],
  ['/api/v1', 'chat-api'],
];
