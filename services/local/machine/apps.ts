/** The five services by Dapr app-id, in the order of the data's way, with the port each has in a cluster and in `up`. */
export const apps = [
  { appId: 'chat-api', port: 8000 },
  { appId: 'notification-service', port: 8001 },
  { appId: 'reminder-service', port: 8002 },
  { appId: 'audit-logger', port: 8003 },
  { appId: 'recurring-task-processor', port: 8004 },
] as const;

export type AppId = (typeof apps)[number]['appId'];

/** One value for each service. */
export function perApp<T>(value: (appId: AppId, index: number) => T): Record<AppId, T> {
  return Object.fromEntries(apps.map(({ appId }, index) => [appId, value(appId, index)])) as Record<AppId, T>;
}
