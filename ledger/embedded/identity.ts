// As whom the embedded PostgreSQL runs. PostgreSQL refuses to run as root, so root lends it an unprivileged user that
// exists already (no user is ever created); everybody else runs it as themselves.
import { chown, lstat, readFile } from 'node:fs/promises';

/** Numeric ids to give to `spawn`; `undefined` where the server runs as the current user. */
export interface Identity {
  uid: number;
  gid: number;
}

const candidates = ['postgres', '_postgres', 'nobody'];

/**
 * The identity for the server of `root`, a folder that exists. A folder that already belongs to an unprivileged user stays
 * his: else one start with sudo would lock him out of his own data.
 */
export async function chooseIdentity(root: string): Promise<Identity | undefined> {
  const own = process.getuid?.();
  if (own === undefined) return undefined;
  const { uid, gid } = await lstat(root);
  if (own !== 0) {
    if (uid === own) return undefined;
    throw new Error(
      `the embedded PostgreSQL cannot use ${root}: it belongs to user ${uid}; run as that user, or set DATABASE_URL`,
    );
  }
  return uid === 0 ? findUser(await readFile('/etc/passwd', 'utf8')) : { uid, gid };
}

/** The best unprivileged user of a passwd file's text. */
function findUser(passwd: string): Identity {
  const lines = passwd.split('\n').map((line) => line.split(':'));
  for (const name of candidates) {
    const fields = lines.find((line) => line[0] === name);
    if (fields) return { uid: Number(fields[2]) >>> 0, gid: Number(fields[3]) >>> 0 };
  }
  throw new Error(
    'the embedded PostgreSQL cannot run: it refuses to run as root and there is no user postgres or nobody; run as an ordinary user, or set DATABASE_URL',
  );
}

/** Hands `path` to the identity, when there is one. */
export async function give(path: string, identity: Identity | undefined): Promise<void> {
  if (identity) await chown(path, identity.uid, identity.gid);
}
