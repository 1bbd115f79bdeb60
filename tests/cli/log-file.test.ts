import { readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openLogFile } from '../../cli/log-file.ts';
import { createFolder, removeFolder } from '../support/folders.ts';
import { eventually } from '../support/house.ts';

let folder: string;
beforeAll(async () => {
  folder = await createFolder();
});
afterAll(() => removeFolder(folder));

test('lines that a full disk refuses are lost, which is said, and the file goes on when there is room', async () => {
  const path = join(folder, 'api.log');
  symlinkSync('/dev/full', path); // every write to it fails as on a full disk
  const said: string[] = [];
  const file = openLogFile(path, (message) => void said.push(message));
  file.write('first');
  await eventually('the loss is told', () => said.length === 1);
  expect(said[0]).toMatch(/api\.log cannot be written: ENOSPC.*; its lines are lost until it can be/);
  rmSync(path);
  writeFileSync(path, '{"half a li');
  await eventually('it is written again', () => {
    file.write('later');
    return readFileSync(path, 'utf8').includes('later');
  });
  await eventually('the return is told', () => said.length === 2);
  expect(said[1]).toMatch(/written again; \d+ lines were lost/);
  expect(readFileSync(path, 'utf8').split('\n').slice(0, 2)).toEqual(['{"half a li', 'later']);
});

test('a file that has grown large is kept beside a new one', async () => {
  const path = join(folder, 'work.log');
  writeFileSync(path, '');
  truncateSync(path, 10_000_001);
  openLogFile(path, () => undefined).write('new');
  await eventually('it is written', () => statSync(path, { throwIfNoEntry: false })?.size === 4);
  expect(statSync(`${path}.old`).size).toBe(10_000_001);
});
