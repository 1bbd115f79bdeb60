// Addresses of services as settings hold them, and whether those who will use one can read it. Pure.

/** User and password of an address, decoded; undefined when they cannot be, as in `50%off`. */
export function loginOf(text: string): { user: string; password: string } | undefined {
  if (!URL.canParse(text)) return undefined;
  const { username, password } = new URL(text);
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}

/** Whether it has a key, a secret and a cloud: `cloudinary://key:secret@cloud`. */
export function isCloudinaryAccount(text: string): boolean {
  const login = loginOf(text);
  return login !== undefined && login.user !== '' && login.password !== '' && new URL(text).hostname !== '';
}

/** Whether PostgreSQL's driver can decode the address. It takes a stray `%` as it stands, but no escape that is not UTF-8. */
export function isReadByPostgres(text: string): boolean {
  // What the driver makes of an address with a stray `%` before it looks at the parts.
  const hasStray = / |%[^a-f0-9]|%[a-f0-9][^a-f0-9]/i.test(text);
  const escaped = hasStray ? encodeURI(text).replaceAll(/%25(\d\d)/g, '%$1') : text;
  if (loginOf(escaped) === undefined) return false;
  try {
    decodeURI(new URL(escaped).pathname);
    return true;
  } catch {
    return false;
  }
}

/**
 * For PostgreSQL's driver: an address and the options of its sessions. Options that stand in the address (`?options=…`) would be taken
 * instead of ours; they are given before ours, which win where both say something.
 */
export function sessionOf(address: string, ours: string): { connectionString: string; options: string } {
  const own = /([?&])(options=[^&#]*)/g;
  const given = [...address.matchAll(own)].flatMap(
    ([, , pair]) => new URLSearchParams(pair).get('options') ?? [],
  );
  return { connectionString: address.replaceAll(own, '$1'), options: [...given, ours].join(' ') };
}

/** Whether mail can come from it: `stories@example.com` or `Storytime <stories@example.com>`. */
export function isSender(text: string): boolean {
  return /^(?:[^<>\p{Cc}]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/u.test(text.trim());
}

/** The host somebody listens on, as it stands in an address that a browser on this machine can open. */
export function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
