// Whether this Node can run the system, asked before anything that it could not even read: the build asks it first, and the
// command line (the build copies this file to dist/scripts/).
import fs from 'node:fs';

/** Ends the process with one line when package.json asks for a later Node. */
export function requireNode() {
  const [needed, given] = [neededVersion(), process.versions.node];
  if (!isOlder(given, needed)) return;
  console.error(
    `this needs Node ${needed} or later, and it is ${given}: install a later one and start again`,
  );
  process.exit(2);
}

/** `>=20.19` -> `20.19`. Beside scripts/ in the sources, one folder further up from dist/. */
function neededVersion() {
  const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url));
  const file = places.find((place) => fs.existsSync(place));
  return JSON.parse(fs.readFileSync(file, 'utf8')).engines.node.replace('>=', '');
}

function isOlder(given, needed) {
  const [[major, minor], [leastMajor, leastMinor]] = [given, needed].map((text) =>
    text.split('.').map(Number),
  );
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
