export const programs: Readonly<Record<'redis-server' | 'chromium', readonly string[]>>;
export function find(...names: readonly string[]): string | undefined;
