// Reads a form, multipart or urlencoded: fields as text, the file as bytes. Bounded by the frame's body limit.

export interface Form {
  /** `tags[]` twice is one entry with both values joined by a comma, as the vendor signs it. */
  fields: Map<string, string>;
  file: { name: string; bytes: Buffer } | undefined;
}

function boundaryOf(contentType: string | undefined): string | undefined {
  const found = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? '');
  return found?.[1] ?? found?.[2];
}

/** The bytes between one boundary line and the next; undefined when the body does not end with the last boundary. */
function parts(body: Buffer, boundary: string): Buffer[] | undefined {
  const found: Buffer[] = [];
  const line = Buffer.from(`--${boundary}`);
  const between = Buffer.from(`\r\n--${boundary}`);
  if (!body.subarray(0, line.length).equals(line)) return undefined;
  let at = line.length;
  while (body.toString('latin1', at, at + 2) === '\r\n') {
    const end = body.indexOf(between, at);
    if (end < 0) return undefined;
    found.push(body.subarray(at + 2, end));
    at = end + between.length;
  }
  return body.toString('latin1', at, at + 2) === '--' ? found : undefined;
}

function put(form: Form, part: Buffer): void {
  const end = part.indexOf('\r\n\r\n');
  if (end < 0) return;
  const head = part.toString('utf8', 0, end);
  const value = part.subarray(end + 4);
  const name = /\bname="([^"]*)"/i.exec(head)?.[1] ?? '';
  const filename = /\bfilename="([^"]*)"/i.exec(head)?.[1];
  if (filename !== undefined && name === 'file') {
    form.file = { name: filename, bytes: value };
    return;
  }
  putField(form, name, filename ?? value.toString('utf8')); // another file is only named: nobody asked for it
}

function putField(form: Form, name: string, text: string): void {
  const key = name.replace(/\[\]$/, '');
  const before = form.fields.get(key);
  form.fields.set(key, before === undefined ? text : `${before},${text}`);
}

/** undefined when the body is not what its content type says, or was cut off. */
export function readForm(contentType: string | undefined, body: Buffer): Form | undefined {
  const form: Form = { fields: new Map(), file: undefined };
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType ?? '')) {
    for (const [name, text] of new URLSearchParams(body.toString('utf8'))) putField(form, name, text);
    return form;
  }
  const boundary = boundaryOf(contentType);
  const found = boundary === undefined ? undefined : parts(body, boundary);
  if (!found) return undefined;
  for (const part of found) put(form, part);
  return form;
}
