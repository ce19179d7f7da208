// A real `wave serve` of a project of its own, with scripted agents.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { front } from './front';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const candidates = [process.env.WAVE_BINARY, 'build/asan/wave', 'build/dev/wave', 'build/release/wave'];
export const binary = candidates.filter((path) => path !== undefined).map((path) => (path.startsWith('/') ? path : join(root, path))).find((path) => existsSync(path));

export class Wave {
  readonly folder = mkdtempSync(join(tmpdir(), 'wave-serve-'));
  private child: ChildProcess | null = null;
  private port = 0;
  private before: Awaited<ReturnType<typeof front>> | null = null;
  log = '';

  /** `manifest` is added to wave.yaml. */
  constructor(manifest = '') {
    cpSync(join(root, 'examples/demo'), this.folder, { recursive: true });
    cpSync(join(root, 'web/tests/project'), this.folder, { recursive: true });
    appendFileSync(join(this.folder, 'wave.yaml'), manifest);
    const git = (...words: string[]) => spawnSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...words], { cwd: this.folder });
    git('init', '-q', '-b', 'main');
    git('add', '-A');
    git('commit', '-q', '-m', 'begin');
  }

  private environment(): NodeJS.ProcessEnv {
    // The server looks at its own answers; what is not as documented is an error to the application, and noted below.
    return { ...process.env, WAVE_VALIDATE_RESPONSES: '1', PATH: `${dirname(binary!)}:${process.env.PATH ?? ''}` };
  }

  /** Starts, or starts again on the same port; returns where it listens. */
  async start(...words: string[]): Promise<string> {
    const child = spawn(binary!, ['serve', '--port', String(this.port), ...words], { cwd: this.folder, env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    const base = await this.listening(child);
    if (!process.env.WAVE_FRONT || !process.env.WAVE_WEB_DIST) return base;
    this.before ??= await front(process.env.WAVE_WEB_DIST, () => this.port);
    return this.before.base;
  }

  private listening(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const hear = (chunk: Buffer) => {
        this.log += String(chunk);
        const at = /http:\/\/127\.0\.0\.1:(\d+)/.exec(this.log);
        if (!at) return;
        this.port = Number(at[1]);
        resolve(at[0]);
      };
      child.stdout?.on('data', hear);
      child.stderr?.on('data', hear);
      child.on('exit', (code) => reject(new Error(`wave serve ended with ${code}: ${this.log}`)));
      setTimeout(() => reject(new Error(`wave serve does not say where it listens: ${this.log}`)), 30_000).unref();
    });
  }

  /** A command of the command line in the same project. */
  run(...words: string[]): string {
    const done = spawnSync(binary!, words, { cwd: this.folder, env: this.environment(), encoding: 'utf8' });
    return done.stdout + done.stderr;
  }

  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill(signal);
    await ended;
    const { log } = this;
    this.log = '';
    if (log.includes('with something else than it promises')) throw new Error(`an answer was not as documented: ${log}`);
  }

  async remove(): Promise<void> {
    if (this.child?.exitCode === null) {
      this.run('cancel', '--all', '--force');
      await this.kill();
    }
    this.before?.server.closeAllConnections();
    this.before?.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
