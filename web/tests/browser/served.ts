// A `wave serve` of its own and a browser, for the tests of one `describe`.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import type { RunDetail } from '../../src/api/types';
import { launch, open, type Watched } from './browser';
import { Wave } from './wave';

export class Served {
  readonly wave: Wave;
  browser!: Browser;
  base = '';

  constructor(manifest: string) {
    this.wave = new Wave(manifest);
  }

  async api<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.base}${path}`)).json()) as T;
  }

  detail(id: string): Promise<RunDetail> {
    return this.api<RunDetail>(`/api/runs/${id}`);
  }

  async submit(pipeline: string, input: string): Promise<string> {
    const answer = await fetch(`${this.base}/api/runs`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ pipeline, input }) });
    return ((await answer.json()) as { run_id: string }).run_id;
  }

  async becomes(id: string, status: string): Promise<void> {
    await expect.poll(async () => (await this.detail(id)).run.status, { timeout: 60_000, interval: 200 }).toBe(status);
  }

  /** A page for a test, which complains of nothing but what is `expected`. */
  async within(test: (watched: Watched) => Promise<void>, expected?: RegExp): Promise<void> {
    const watched = await open(this.browser, this.base);
    try {
      await test(watched);
      expect(watched.complaints.filter((one) => !expected?.test(one))).toEqual([]);
    } finally {
      await watched.context.close();
    }
  }
}

/** Started before the tests of the `describe` around it, and removed behind them. `manifest` is added to wave.yaml. */
export function served(manifest = ''): Served {
  const on = new Served(manifest);
  beforeAll(async () => {
    on.browser = await launch();
    on.base = await on.wave.start();
  });
  afterAll(async () => {
    await on.browser.close();
    await on.wave.remove();
  });
  return on;
}
