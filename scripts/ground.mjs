// What the tests need from the machine beside npm packages: a Redis server and a browser. As root on Debian the missing ones
// are installed; elsewhere one line says what to install. Does nothing, and says nothing, when all is there.
import { spawnSync } from 'node:child_process';
import { find, programs } from './programs.mjs';

function missing() {
  return Object.keys(programs).filter((name) => find(...programs[name]) === undefined);
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr, error } = spawnSync('apt-get', ['-qq', ...args], { encoding: 'utf8', env });
  if (status === 0) return;
  const line = (stderr ?? '').split('\n').find((text) => /^[EW]:/.test(text));
  fail(`apt-get ${args[0]} failed: ${error?.message ?? line ?? `exit code ${status}`}`);
}

function fail(reason) {
  const list = missing().join(' ');
  console.error(
    `the tests cannot run: ${reason}; install ${list} (on Debian: apt-get install ${list}) and run again`,
  );
  process.exit(1);
}

const wanted = missing();
if (wanted.length > 0) {
  if (process.getuid?.() !== 0 || find('apt-get') === undefined) fail(`${wanted.join(' and ')} not found`);
  console.log(`installing ${wanted.join(' and ')}`);
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...wanted);
  if (missing().length > 0) fail('the programs are still not on the PATH');
}
