// Joins the packages that dist/ imports into few files, in dist/node_modules, where Node finds them before those they were made
// from: read file by file they are half of what a start costs (docs/decisions/0014). Nothing is done when nothing has changed.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { build } from 'esbuild';

const target = 'dist/node_modules';
const draft = `dist/.joining-${process.pid}`; // becomes the target when it is whole, whoever else builds or stops in the middle
const entries = `${draft}/entries`;
const keyFile = '.joined/key';
// Used as installed: they read files of their own that no import names, or start a thread from one.
const apart = new Set([
  '@bull-board/api',
  '@bull-board/express',
  '@prisma/schema-engine-wasm',
  'cloudinary',
  'pino',
  'sharp',
]);
const apartBelow = ['msgpackr-extract', 'pg-native']; // what the joined ones load only where it is installed
const { dependencies } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
const common = { bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' };

function packageOf(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** What the files of dist/ import of packages, as they write it. */
async function importedSpecifiers() {
  const entryPoints = fs
    .readdirSync('dist', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .map((path) => `dist/${path}`);
  const look = { entryPoints, outdir: 'dist', packages: 'external', metafile: true, write: false };
  const { metafile } = await build({ ...common, ...look });
  const outside = Object.values(metafile.inputs).flatMap(({ imports }) =>
    imports.filter((one) => one.external),
  );
  return [...new Set(outside.map(({ path }) => path))].filter((specifier) => {
    const name = packageOf(specifier);
    return name in dependencies && !apart.has(name);
  });
}

/** For each specifier a file that passes on every name Node finds in it. Resolves with their names, without the ending. */
async function writeEntries(specifiers) {
  const places = new Map();
  for (const specifier of specifiers) {
    const names = Object.keys(await import(specifier)).filter((name) => name !== 'module.exports');
    const sub = specifier.slice(packageOf(specifier).length + 1).replace(/\.m?js$/, '');
    const place = `${packageOf(specifier)}/${sub || 'index'}`;
    places.set(specifier, place);
    fs.mkdirSync(`${entries}/${place}`, { recursive: true });
    fs.writeFileSync(`${entries}/${place}.mjs`, `export { ${names.join(', ')} } from '${specifier}';\n`);
  }
  return places;
}

/** What packages in the style of CommonJS count on, and a module does not have. */
const commonJs = `import { createRequire as madeRequire } from 'node:module';
const require = madeRequire(import.meta.url);
const __dirname = require('node:path').dirname(require('node:url').fileURLToPath(import.meta.url));`;

async function join(specifiers, key) {
  fs.rmSync(target, { recursive: true, force: true }); // or it would be joined once more
  const places = await writeEntries(specifiers);
  await build({
    ...common,
    entryPoints: [...places.values()].map((place) => `${entries}/${place}.mjs`),
    outdir: `${draft}/joined`,
    outbase: entries,
    outExtension: { '.js': '.mjs' },
    chunkNames: '.joined/[hash]',
    splitting: true,
    external: apartBelow,
    banner: { js: commonJs },
  });
  writeManifests(places);
  fs.writeFileSync(`${draft}/joined/${keyFile}`, key);
}

/** So that Node takes the joined files for the package, and no other file of it. */
function writeManifests(places) {
  const all = new Map();
  for (const [specifier, place] of places) {
    const name = packageOf(specifier);
    const { exports } = all.get(name) ?? all.set(name, { exports: {} }).get(name);
    exports[`.${specifier.slice(name.length)}`] = `.${place.slice(name.length)}.mjs`;
  }
  for (const [name, { exports }] of all) {
    const manifest = JSON.stringify({ name, type: 'module', exports });
    fs.writeFileSync(`${draft}/joined/${name}/package.json`, manifest);
  }
}

const specifiers = await importedSpecifiers();
const hash = createHash('sha256').update(JSON.stringify(specifiers));
for (const path of ['package-lock.json', 'scripts/join.mjs']) hash.update(fs.readFileSync(path));
const key = hash.digest('hex');
const isJoined = () =>
  fs.existsSync(`${target}/${keyFile}`) && fs.readFileSync(`${target}/${keyFile}`, 'utf8') === key;
if (!isJoined()) {
  try {
    await join(specifiers, key);
    if (!isJoined()) fs.renameSync(`${draft}/joined`, target);
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}
