// `npm ci` fails when an optional dependency named in the lock is not in the lock: found here, before it fails there.
import { readFileSync } from 'node:fs';

const packages = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;

/** Looks where Node would: beside the owner, then in every folder above it. */
function isLocked(owner, name) {
  const parent = owner.includes('/node_modules/') ? owner.slice(0, owner.lastIndexOf('/node_modules/')) : '';
  const beside = owner === '' ? `node_modules/${name}` : `${owner}/node_modules/${name}`;
  return packages[beside] !== undefined || (owner !== '' && isLocked(parent, name));
}

const missing = Object.entries(packages).flatMap(([owner, { optionalDependencies = {} }]) =>
  Object.keys(optionalDependencies)
    .filter((name) => !isLocked(owner, name))
    .map((name) => `${name}, needed by ${owner}`),
);
const addressed = Object.keys(packages).filter((name) => packages[name].resolved !== undefined);
for (const line of missing) console.error(`package-lock.json lacks ${line}`);
for (const name of addressed) console.error(`package-lock.json has a download address at ${name}`);
process.exitCode = missing.length + addressed.length > 0 ? 1 : 0;
