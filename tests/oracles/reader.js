// What Node reads in a body: one JSON record a line {kind, boundary, data (base64)}; a line for each in the form of
// body_reader.cc, or "refused".
const readline = require('node:readline');

const hex = (text) => Buffer.from(text, 'utf8').toString('hex');

function flat(pairs) {
  return ['ok', ...pairs.map(([name, value]) => hex(name) + '=' + value)].join(' ');
}

function tree(value, path, out) {
  if (value === null) out.push(path + '=z');
  else if (typeof value === 'string') out.push(path + '=s' + Buffer.from(value, 'utf8').toString('hex'));
  else if (typeof value === 'number') out.push(path + '=n' + hex(Object.is(value, -0) ? '-0' : String(value)));
  else if (typeof value === 'boolean') out.push(path + '=b' + hex(String(value)));
  else {
    out.push(path + '=c');
    if (Array.isArray(value)) value.forEach((item, i) => tree(item, path + '/#' + i, out));
    else for (const key of Object.keys(value)) tree(value[key], path + '/' + hex(key), out);
  }
}

async function read(record) {
  const bytes = Buffer.from(record.data, 'base64');
  if (record.kind === 'form') {
    const pairs = [...new URLSearchParams(bytes.toString('utf8'))];
    return flat(pairs.map(([name, value]) => [name, hex(value)]));
  }
  if (record.kind === 'json') {
    const out = [];
    tree(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)), '', out);
    return ['ok', ...out].join(' ');
  }
  const type = `multipart/form-data; boundary="${record.boundary}"`;
  const form = await new Response(bytes, { headers: { 'content-type': type } }).formData();
  const pairs = [];
  for (const [name, value] of form) {
    pairs.push([name, typeof value === 'string' ? hex(value) : Buffer.from(await value.arrayBuffer()).toString('hex')]);
  }
  return flat(pairs);
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = await read(JSON.parse(line));
    } catch {
      answer = 'refused';
    }
    process.stdout.write(answer + '\n');
  }
})();
