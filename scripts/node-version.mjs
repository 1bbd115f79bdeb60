// Whether this Node can run the system, asked before anything that it could not even read: the build asks it first, and the
// command line (the build copies this file to dist/scripts/).
import fs from 'node:fs';

/** Ends the process with one line when package.json asks for another Node. */
export function requireNode() {
  const [range, given] = [neededRange(), process.versions.node];
  if (range.split(' || ').some((part) => isWithin(given, part))) return;
  console.error(`this needs Node ${range}, and it is ${given}: install one of these and start again`);
  process.exit(2);
}

/** Of `engines`. Beside scripts/ in the sources, one folder further up from dist/. */
function neededRange() {
  const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url));
  const file = places.find((place) => fs.existsSync(place));
  return JSON.parse(fs.readFileSync(file, 'utf8')).engines.node;
}

/** `part`: `^20.19` (that major) or `>=24`. */
function isWithin(given, part) {
  const [major, minor] = given.split('.').map(Number);
  const [leastMajor, leastMinor = 0] = part.replace(/^\D+/, '').split('.').map(Number);
  if (major === leastMajor) return minor >= leastMinor;
  return part.startsWith('>=') && major > leastMajor;
}
