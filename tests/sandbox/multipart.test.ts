import { test, expect } from '@jest/globals';
import { readForm } from '../../sandbox/multipart.ts';

async function encode(form: FormData): Promise<{ type: string | undefined; body: Buffer }> {
  const request = new Response(form);
  return {
    type: request.headers.get('content-type') ?? undefined,
    body: Buffer.from(await request.arrayBuffer()),
  };
}

test('fields and the file come out of a form as they went in, line ends and boundaries-like bytes included', async () => {
  const form = new FormData();
  const bytes = Buffer.from('\r\n--x\r\n\0\xff', 'latin1');
  form.set('public_id', 'a/b & c');
  form.append('tags[]', 'one');
  form.append('tags[]', 'two');
  form.set('file', new Blob([bytes]), 'moon.png');
  const { type, body } = await encode(form);
  const read = readForm(type, body);
  expect(Object.fromEntries(read?.fields ?? [])).toEqual({ public_id: 'a/b & c', tags: 'one,two' });
  expect(read?.file).toEqual({ name: 'moon.png', bytes });
});

test('a form that was cut, or has no boundary, is not read', async () => {
  const form = new FormData();
  form.set('public_id', 'a');
  const { type, body } = await encode(form);
  expect(readForm(type, body.subarray(0, -6))).toBeUndefined();
  expect(readForm('multipart/form-data', body)).toBeUndefined();
  expect(readForm('text/plain', body)).toBeUndefined();
});

test('a urlencoded form is a form, and a file under another name is a field that nobody knows', async () => {
  const plain = new URLSearchParams([
    ['file', 'data:,x'],
    ['tags[]', 'one'],
    ['tags[]', 'two & three'],
  ]);
  const encoded = readForm('application/x-www-form-urlencoded; charset=utf-8', Buffer.from(String(plain)));
  expect(Object.fromEntries(encoded?.fields ?? [])).toEqual({ file: 'data:,x', tags: 'one,two & three' });

  const form = new FormData();
  form.set('photo', new Blob(['bytes']), 'moon.png');
  const { type, body } = await encode(form);
  const read = readForm(type, body);
  expect([read?.file, Object.fromEntries(read?.fields ?? [])]).toEqual([undefined, { photo: 'moon.png' }]);
});
