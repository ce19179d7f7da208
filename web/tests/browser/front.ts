// The application as it was just built, before a real server: what is worked on in web/ can be looked at
// without building the binary again (WAVE_FRONT=1, with WAVE_WEB_DIST).
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request as forward, type Server } from 'node:http';
import { extname, join } from 'node:path';

const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.html': 'text/html' };

export async function front(dist: string, target: () => number, port = 0): Promise<{ server: Server; base: string }> {
  const server = createServer((incoming, answer) => {
    const path = new URL(incoming.url ?? '/', 'http://localhost').pathname;
    if (!path.startsWith('/api')) {
      const wanted = join(dist, path);
      const file = existsSync(wanted) && !path.endsWith('/') ? wanted : join(dist, 'index.html');
      answer.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': "default-src 'self'; img-src 'self' data:; object-src 'none'" });
      return void answer.end(readFileSync(file));
    }
    const onward = forward({ host: '127.0.0.1', port: target(), path: incoming.url, method: incoming.method, headers: incoming.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
      got.on('error', () => answer.destroy());
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, base: `http://127.0.0.1:${(server.address() as { port: number }).port}` };
}
