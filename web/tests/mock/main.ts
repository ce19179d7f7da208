// npx vite-node tests/mock/main.ts [PORT]
import { fill, MockServer } from './server';

const server = new MockServer();
const runs = fill(server);
console.log(await server.listen(Number(process.argv[2] ?? 8080)), runs);
setInterval(() => server.play('demo', { speed: 1, input: 'Again, and again' }), 15_000);
