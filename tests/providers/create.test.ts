// How providers are chosen. That no call leaves the machine is shown in tests/contracts/providers-home.test.ts.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { loadConfig } from '../../shared/config.ts';
import { noGate, type Gate } from '../../providers/guard-gate.ts';
import { createProviders } from '../../providers/create.ts';

const emit = () => undefined;

test('every provider has its own gate, and each model of Gemini', async () => {
  const asked: string[] = [];
  const gateOf = (name: string): Gate => ({
    ...noGate,
    enter: () => {
      asked.push(name);
      return Promise.resolve({ kind: 'closed', reason: 'operator', forMs: 1_000 });
    },
  });
  const providers = createProviders(loadConfig({}), { emit, gateOf });
  const call = {
    step: 'j:s',
    signal: new AbortController().signal,
    charge: () => undefined,
    afford: () => Promise.resolve(),
  };
  const refused = { code: 'unavailable', breakerOpen: true };
  const mail = { to: 'a@b.test', subject: 's', html: 'h', text: 't', messageId: 'm@b.test' };
  await expect(providers.smtp.send(mail, call)).rejects.toMatchObject(refused);
  await expect(providers.gemini.drawPicture({ scene: 's', artDirection: 'a' }, call)).rejects.toMatchObject(
    refused,
  );
  const brief = { childName: 'Mia', age: 5, theme: 'sea', language: 'en', pages: 3 };
  const failed = await providers.gemini.writeStory(brief, call).catch((thrown: unknown) => thrown);
  expect(failed).toMatchObject({ ...refused, provider: 'gemini', gate: 'gemini-text' });
  expect(asked).toEqual(['smtp', 'gemini-pictures', 'gemini-text']);
  await providers.close();
});

/** Refuses to find an SDK: a static import anywhere below providers/create.ts would end the script. */
const withoutSdks = `export const resolve = (name, context, next) => {
  if (/^(@google|@elevenlabs|@deepgram|cloudinary|nodemailer)/.test(name)) throw new Error('an SDK was loaded: ' + name);
  return next(name, context);
};`;

test('creating the providers loads no SDK, and the first call does', async () => {
  const script = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(withoutSdks)}));
    const { createProviders } = await import('./providers/create.ts');
    const { loadConfig } = await import('./shared/config.ts');
    const providers = createProviders(loadConfig({}), { emit() {} });
    console.log('created');
    await providers.deepgram.ping(new AbortController().signal).catch((error) => console.log(error.cause.message));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script,
  ]);
  expect(stdout).toBe('created\nan SDK was loaded: @deepgram/sdk\n');
});
