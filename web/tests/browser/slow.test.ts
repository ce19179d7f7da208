// A slow line, one that breaks, and one that comes back: what the page says about itself is true all the
// time, and what it shows in the end is all there is.
import type { CDPSession, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { open } from './browser';
import { served } from './served';
import { SlowLine } from './slow_line';
import { binary } from './wave';

interface Sample {
  at: number;
  state: string;
  status: string;
}

/** Looks at what the page says, every 20 ms, from now on. */
const watch = (page: Page) => page.evaluate(() => {
  const samples: Sample[] = [];
  (window as unknown as { samples: Sample[] }).samples = samples;
  setInterval(() => samples.push({
    at: Date.now(), state: document.querySelector<HTMLElement>('[data-connection]')?.dataset.connection ?? '',
    status: document.querySelector('header .status')?.textContent ?? '',
  }), 20);
});
const samples = (page: Page) => page.evaluate(() => (window as unknown as { samples: Sample[] }).samples);

describe.skipIf(!binary)('a slow line', () => {
  const on = served();
  const state = (page: Page, name: string, timeout = 30_000) => page.locator(`[data-connection=${name}]`).first().waitFor({ timeout });

  /** Everything of the run is there, as the server has it. */
  const isWhole = async (page: Page, id: string) => {
    const { run, steps } = await on.detail(id);
    await page.locator('header .status', { hasText: 'Completed' }).waitFor({ timeout: 30_000 });
    for (const step of steps) expect([step.step, await page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: new RegExp(`^${step.step}\\s*, (Completed|Pending|Skipped)`) }).count()]).toEqual([step.step, 1]);
    await page.getByRole('tab', { name: /^Events/ }).click();
    await expect.poll(async () => page.getByRole('tab', { name: /^Events/ }).textContent(), { timeout: 10_000 }).toBe(`Events${run.last_seq}`);
    await page.getByText('run_queued').first().waitFor();
  };

  /** Away while a run ends and others begin, then back: not live before the end of it is shown. */
  const awayAndBack = async (page: Page, id: string, goAway: () => Promise<unknown>, comeBack: () => Promise<unknown>) => {
    await state(page, 'live');
    await page.locator('header .status', { hasText: 'Running' }).waitFor();
    await watch(page);
    await goAway();
    await state(page, 'offline');
    await page.getByText('What you see may be old').waitFor();
    const away = Date.now();
    // Enough to take a while on this line.
    const others = await Promise.all(['one', 'two', 'three', 'four'].map((name) => on.submit('add-language', name)));
    for (const one of [id, ...others]) await on.becomes(one, 'completed');
    const back = Date.now();
    await comeBack();
    await state(page, 'live', 60_000);
    const seen = await samples(page);
    expect(seen.filter((one) => one.at > away + 100 && one.at < back && one.state !== 'offline')).toEqual([]);
    expect(seen.filter((one) => one.at > back && one.state === 'live' && one.status !== 'Completed')).toEqual([]);
    expect(seen.some((one) => one.at > back && one.state === 'catching_up')).toBe(true);
    await isWhole(page, id);
  };

  it('is slow, breaks, and comes back: a page of its own', async () => {
    const { context, page } = await open(on.browser, on.base);
    await page.addInitScript(() => Object.defineProperty(window, 'SharedWorker', { value: undefined }));
    const line: CDPSession = await context.newCDPSession(page);
    await line.send('Network.enable');
    const slow = { latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };
    const id = await on.submit('add-language', 'Over a slow line');
    await page.goto(`/runs/${id}`);
    await line.send('Network.emulateNetworkConditions', { offline: false, ...slow });
    await awayAndBack(page, id, () => line.send('Network.emulateNetworkConditions', { offline: true, ...slow }), () => line.send('Network.emulateNetworkConditions', { offline: false, ...slow }));
    await context.close();
  }, 180_000);

  it('is slow, breaks, and comes back: tabs that share their connection', async () => {
    const line = new SlowLine(Number(new URL(on.base).port));
    const { context, page } = await open(on.browser, await line.listen());
    const id = await on.submit('add-language', 'Over a slow line, shared');
    await page.goto(`/runs/${id}`);
    line.latency = 200;
    line.bytesPerSecond = 50_000;
    await awayAndBack(page, id, async () => line.cut(), async () => line.mend());
    await context.close();
    await line.close();
  }, 180_000);

  it('takes back what the server was not told, and keeps what it was', async () => {
    const { context, page } = await open(on.browser, on.base);
    const id = await on.submit('slow', 'a hole');
    await page.goto(`/runs/${id}`);
    await state(page, 'live');
    await page.locator('header .status', { hasText: 'Running' }).waitFor();
    const line = await context.newCDPSession(page);
    await line.send('Network.enable');
    const cancel = async () => {
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await page.getByRole('button', { name: 'Cancel the run' }).click();
    };
    // Not reached: said at once, then taken back, with a word about it.
    await line.send('Network.emulateNetworkConditions', { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await cancel();
    await page.getByText('Cancel the run: not done').first().waitFor();
    await page.locator('header .status', { hasText: 'Running' }).waitFor();
    // Slowly reached: said before the server knows of it, and confirmed by the stream.
    await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    let arrive = () => {};
    const onItsWay = new Promise<void>((resolve) => { arrive = resolve; });
    await page.route('**/cancel', async (route) => {
      await onItsWay;
      await route.continue();
    });
    await cancel();
    await page.locator('header .status', { hasText: 'Cancelling' }).waitFor();
    expect((await on.detail(id)).run.status).toBe('running');
    arrive();
    await page.locator('header .status', { hasText: 'Cancelled' }).waitFor({ timeout: 30_000 });
    expect((await on.detail(id)).run.status).toBe('cancelled');
    await context.close();
  }, 90_000);
});
