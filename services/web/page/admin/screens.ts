// What admins alone need, and nobody else loads.

export { AuditScreen } from './audit.tsx';
export { ServicesScreen } from './services.tsx';
