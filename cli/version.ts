// The version of this build, from package.json: beside cli/ in the sources, one folder further up from dist/.
import { existsSync, readFileSync } from 'node:fs';

export function readVersion(): string {
  const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url));
  const file = places.find((place) => existsSync(place));
  if (file === undefined) return 'unknown';
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
