// Packs what Vite built for the binary: each file compressed with brotli and gzip, all in one blob, and a
// table of them as C++. Fails when what the first page loads has grown beyond its budget.
//
//   node scripts/pack.mjs DIST OUT_BLOB OUT_TABLE
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const kBudget = 150 * 1024;
const [dist, blobPath, tablePath] = process.argv.slice(2);
if (!tablePath) {
  console.error('usage: pack.mjs DIST OUT_BLOB OUT_TABLE');
  process.exit(2);
}

const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.png': 'image/png', '.json': 'application/json', '.txt': 'text/plain; charset=utf-8',
};

function filesBelow(folder) {
  return readdirSync(folder).flatMap((name) => {
    if (name.startsWith('.')) return [];
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

const brotli = (bytes) => brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
});
const gzip = (bytes) => gzipSync(bytes, { level: 9 });

// --- the budget: the entry and the first screen, with everything they import ---

const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'));
const first = new Set();
function visit(key) {
  if (first.has(key)) return;
  first.add(key);
  for (const next of manifest[key]?.imports ?? []) visit(next);
}
for (const key of ['index.html', 'src/screens/runs.tsx']) {
  if (!manifest[key]) {
    console.error(`pack: the manifest does not know ${key}`);
    process.exit(1);
  }
  visit(key);
}
const scripts = [...new Set([...first].map((key) => manifest[key].file))].filter((file) => file.endsWith('.js'));
const workers = readdirSync(join(dist, 'assets')).filter((name) => name.startsWith('worker-')).map((name) => `assets/${name}`);
const load = [...scripts, ...workers, 'theme.js'].reduce((sum, file) => sum + gzip(readFileSync(join(dist, file))).length, 0);
console.log(`web: the first page loads ${(load / 1024).toFixed(1)} KiB of compressed script (at most ${kBudget / 1024})`);
if (load > kBudget) {
  console.error('pack: that is too much. Load what the first page does not need with lazy().');
  process.exit(1);
}

// --- the blob and its table ---

const pieces = [];
let at = 0;
function put(bytes) {
  pieces.push(bytes);
  const from = at;
  at += bytes.length;
  return `${from}, ${bytes.length}`;
}
const rows = filesBelow(dist).sort().map((file) => {
  const bytes = readFileSync(file);
  const path = `/${relative(dist, file)}`;
  const type = types[extname(file)];
  if (!type) throw new Error(`pack: no content type for ${path}`);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 20);
  // Vite puts a hash into the names below /assets: they never change their content.
  const immutable = path.startsWith('/assets/');
  // Fonts are compressed already.
  const dense = file.endsWith('.woff2') || file.endsWith('.png');
  const empty = '0, 0';
  return `    {"${path}", "${type}", "${hash}", ${immutable}, ${bytes.length}, ${dense ? put(bytes) : empty}, ` +
    `${dense ? empty : put(gzip(bytes))}, ${dense ? empty : put(brotli(bytes))}},`;
});
writeFileSync(blobPath, Buffer.concat(pieces));
writeFileSync(tablePath, `// Made by web/scripts/pack.mjs; do not change it.
#include "server/web/embedded.h"

__asm__(
    ".pushsection .rodata\\n"
    ".balign 16\\n"
    ".global wave_web_blob\\n"
    "wave_web_blob:\\n"
    ".incbin \\"${blobPath}\\"\\n"
    ".popsection\\n");

extern "C" const char wave_web_blob[];

namespace wave::server::web {
namespace {

struct Row {
  const char *path, *type, *hash;
  bool immutable;
  size_t size;
  size_t plain_at, plain_size, gzip_at, gzip_size, brotli_at, brotli_size;
};
constexpr Row kRows[] = {
${rows.join('\n')}
};

}  // namespace

std::vector<EmbeddedAsset> embedded_assets() {
  std::vector<EmbeddedAsset> assets;
  for (const Row& row : kRows) {
    assets.push_back({.path = row.path,
                      .type = row.type,
                      .hash = row.hash,
                      .immutable = row.immutable,
                      .size = row.size,
                      .plain = {wave_web_blob + row.plain_at, row.plain_size},
                      .gzip = {wave_web_blob + row.gzip_at, row.gzip_size},
                      .brotli = {wave_web_blob + row.brotli_at, row.brotli_size}});
  }
  return assets;
}

}  // namespace wave::server::web
`);
