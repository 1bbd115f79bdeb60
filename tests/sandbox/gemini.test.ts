import { test, expect } from '@jest/globals';
import { ApiError, GoogleGenAI } from '@google/genai';
import sharp from 'sharp';
import { z } from 'zod';
import type { Sandbox } from '../../sandbox/server.ts';
import { readGolden, shapeOf } from './golden.ts';
import { readBill, sandboxKeys, setFault, withSandbox } from './world.ts';

// With a fetch of its own the client leaves out its dispatcher trick, which does not find the dispatcher inside Jest's globals.
const plainFetch: typeof fetch = (input, init) => fetch(input, init);

const client = (sandbox: Sandbox, apiKey: string = sandboxKeys.gemini, apiVersion = 'v1beta'): GoogleGenAI =>
  new GoogleGenAI({
    apiKey,
    apiVersion,
    httpOptions: { baseUrl: `${sandbox.url}/gemini`, fetch: plainFetch },
  });

const page = z.strictObject({
  text: z.string().min(1),
  scene: z.string().min(1),
  mood: z.enum(['calm', 'wild']),
});
const story = z.strictObject({
  title: z.string(),
  moral: z.string().nullable(),
  pages: z.array(page).length(7),
  minutes: z.int().min(2).max(9),
});
const contents =
  'BRIEF\n{"childName":"Ida","age":8,"theme":"a fox who counts stars","language":"en","pages":7}';
const text = { model: 'gemini-3.8-flash', contents };

test(
  'every golden exchange is answered as the vendor answers it',
  () =>
    withSandbox(async (sandbox) => {
      for (const { name, request, fault, check, answer } of readGolden('gemini')) {
        if (fault) await setFault(sandbox, { provider: 'gemini', times: 1, fault });
        const headers = Object.entries(request.headers).map(([key, value]): [string, string] => [
          key,
          value.replace('<key>', sandboxKeys.gemini),
        ]);
        const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
        const got = await fetch(`${sandbox.url}/gemini${request.path}`, {
          method: request.method,
          headers,
          ...body,
        });
        const view = check === 'exact' ? (value: unknown): unknown => value : shapeOf;
        expect([name, got.status, view(await got.json())]).toEqual([name, answer.status, view(answer.body)]);
      }
    }),
  60_000,
);

test("the vendor's own client gets a story that fits the schema it sent, and what it used is on the bill", () =>
  withSandbox(async (sandbox) => {
    const config = {
      responseMimeType: 'application/json',
      responseJsonSchema: z.toJSONSchema(story),
      httpOptions: { headers: { 'x-storytime-step': 'job:write' } },
    };
    const answer = await client(sandbox).models.generateContent({ ...text, config });
    const told = story.parse(JSON.parse(answer.text ?? ''));
    expect(told.pages.map((one) => one.text).join(' ')).toMatch(/Ida[\s\S]*a fox who counts stars/);
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP');
    const used = answer.usageMetadata;
    const units = {
      input_token: used?.promptTokenCount,
      output_token: Number(used?.candidatesTokenCount) + Number(used?.thoughtsTokenCount),
    };
    expect(await readBill(sandbox, '?step=job:write')).toEqual([
      expect.objectContaining({ units, requestId: answer.responseId, note: answer.modelVersion }),
    ]);
  }));

test('pictures are real and differ from page to page, on v1 as on v1beta', () =>
  withSandbox(async (sandbox) => {
    const draw = async (prompt: string, version: string): Promise<Buffer> => {
      const config = { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '4:3', imageSize: '1K' } };
      const model = 'gemini-3.1-flash-image';
      const answer = await client(sandbox, undefined, version).models.generateContent({
        model,
        contents: prompt,
        config,
      });
      return Buffer.from(answer.data ?? '', 'base64');
    };
    const [first, second] = await Promise.all([
      draw('a fox by the sea', 'v1beta'),
      draw('a fox by the sea at night', 'v1'),
    ]);
    expect(await sharp(first).metadata()).toEqual(
      expect.objectContaining({ format: 'png', width: 1200, height: 896 }),
    );
    expect(first.equals(second)).toBe(false);
    expect((await readBill(sandbox)).map(({ operation, units }) => [operation, units['image']])).toEqual([
      ['generate-picture', 1],
      ['generate-picture', 1],
    ]);
  }));

const status = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 200,
    (error: unknown) => (error instanceof ApiError ? error.status : error),
  );

test('a refusal costs nothing and reaches the client with its status', () =>
  withSandbox(async (sandbox) => {
    const { models } = client(sandbox);
    expect((await models.get({ model: 'gemini-3.8-flash' })).name).toBe('models/gemini-3.8-flash');
    expect(await status(client(sandbox, 'wrong').models.generateContent(text))).toBe(400);
    expect(await status(models.get({ model: 'gemini-9' }))).toBe(404);
    expect(await status(models.generateContent({ ...text, config: { responseModalities: ['IMAGE'] } }))).toBe(
      400,
    );
    expect(
      await status(
        models.generateContent({
          model: 'gemini-3-pro-image',
          contents,
          config: { imageConfig: { aspectRatio: '7:5' } },
        }),
      ),
    ).toBe(400);
    expect((await fetch(`${sandbox.url}/gemini/v1beta/nothing`)).status).toBe(404);
    expect(await readBill(sandbox)).toEqual([]);
  }));

test('an answer longer than maxOutputTokens is cut there and says so', () =>
  withSandbox(async (sandbox) => {
    const answer = await client(sandbox).models.generateContent({
      ...text,
      config: { maxOutputTokens: 260, responseMimeType: 'application/json' },
    });
    expect(answer.candidates?.[0]?.finishReason).toBe('MAX_TOKENS');
    expect(() => JSON.parse(answer.text ?? '')).toThrow();
    expect(
      Number(answer.usageMetadata?.candidatesTokenCount) + Number(answer.usageMetadata?.thoughtsTokenCount),
    ).toBeLessThanOrEqual(260);
  }));

test('what lies near is told by numbers: the same for the same text, as many as asked for, and billed', () =>
  withSandbox(async (sandbox) => {
    const { models } = client(sandbox);
    const model = 'gemini-embedding-001';
    const { embeddings = [] } = await models.embedContent({ model, contents: ['moon', 'owl', 'moon'] });
    const [moon, owl, again] = embeddings.map(({ values }) => values ?? []);
    expect([moon?.length, owl?.length]).toEqual([3_072, 3_072]);
    expect(again).toEqual(moon);
    expect(owl).not.toEqual(moon);
    const small = await models.embedContent({ model, contents: 'moon', config: { outputDimensionality: 8 } });
    expect(small.embeddings?.[0]?.values).toHaveLength(8);
    expect(await readBill(sandbox)).toMatchObject([
      { operation: 'embed', units: { input_token: 3 } },
      { operation: 'embed', units: { input_token: 1 } },
    ]);
    expect(await status(models.embedContent({ model: text.model, contents: 'moon' }))).toBe(404);
    expect(await status(models.generateContent({ model, contents: 'moon' }))).toBe(404);
    expect((await models.get({ model })).name).toBe(`models/${model}`);
    const one = await fetch(`${sandbox.url}/gemini/v1beta/models/${model}:embedContent`, {
      method: 'POST',
      headers: { 'x-goog-api-key': sandboxKeys.gemini },
      body: JSON.stringify({ content: { parts: [{ text: 'moon' }] } }),
    });
    expect(await one.json()).toEqual({ embedding: { values: moon } });
  }));

test('contents without data, names of no field and versions of no API are refused and not billed', () =>
  withSandbox(async (sandbox) => {
    const headers = { 'x-goog-api-key': sandboxKeys.gemini };
    const url = `${sandbox.url}/gemini/v1beta/models/gemini-3.8-flash`;
    const good = { contents: [{ parts: [{ text: 'a story' }] }] };
    const refused: [object, string][] = [
      [{ contents: [{ role: 'user', parts: [] }] }, 'contents[0].parts: contents.parts must not be empty'],
      [{ contents: [...good.contents, {}] }, 'contents[1].parts: contents.parts must not be empty'],
      [
        { contents: [{ parts: [{ text: 'a' }, {}] }] },
        "contents[0].parts[1].data: required oneof field 'data'",
      ],
      [{ ...good, constructor: { a: 1 } }, 'Unknown name "constructor"'],
      [{ ...good, toString: {} }, 'Unknown name "toString"'],
      [{ ...good, generationConfig: { valueOf: 1 } }, 'Unknown name "valueOf"'],
    ];
    for (const [request, reason] of refused) {
      const body = JSON.stringify(request);
      const answer = await fetch(`${url}:generateContent`, { method: 'POST', headers, body });
      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringContaining(JSON.stringify(reason).slice(1, -1)),
      ]);
    }
    expect((await fetch(url.replace('v1beta', 'v9'), { headers })).status).toBe(404);
    expect(await readBill(sandbox)).toEqual([]);
  }));
