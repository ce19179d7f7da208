// A line between the browser and the server that is slow, and that can be cut and mended: for what holds
// its connection outside of a page (the shared worker), where the browser's own emulation does not reach.
import { createServer, connect, type Server, type Socket } from 'node:net';

export class SlowLine {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((client) => this.accept(client));
  private isCut = false;
  /** One way, ms. */
  latency = 0;
  bytesPerSecond = Infinity;

  constructor(private readonly target: number) {}

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }
  mend(): void {
    this.isCut = false;
  }
  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    if (this.isCut) return void client.destroy();
    const server = connect(this.target, '127.0.0.1');
    for (const [from, to] of [[client, server], [server, client]] as const) {
      this.sockets.add(from);
      from.on('close', () => this.sockets.delete(from));
      from.on('error', () => from.destroy());
      this.carry(from, to);
    }
  }

  /** Each piece leaves when the line is free, and arrives a latency later; in order. */
  private carry(from: Socket, to: Socket): void {
    let free = 0;
    from.on('data', (chunk) => {
      from.pause();
      const now = Date.now();
      free = Math.max(free, now) + (1_000 * chunk.length) / this.bytesPerSecond;
      setTimeout(() => {
        if (!to.destroyed) to.write(chunk);
      }, free - now + this.latency);
      setTimeout(() => from.resume(), Math.max(0, free - now));
    });
    // What is on its way arrives, unless the line is cut.
    const later = (call: () => void) => setTimeout(call, this.isCut ? 0 : Math.max(0, free - Date.now()) + this.latency + 5);
    from.on('end', () => later(() => to.end()));
    from.on('close', () => later(() => to.destroy()));
  }
}
