// The same screens against the real `wave serve`: runs by scripted agents, a gate, a restart in the middle.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { launch, look, open, type Watched } from './browser';
import { served } from './served';
import { binary, Wave } from './wave';

// A binary that knows no `serve` yet, or was built without the application, cannot be looked at.
async function serves(): Promise<boolean> {
  if (!binary) return false;
  const wave = new Wave();
  try {
    const base = await wave.start();
    return (await (await fetch(base)).text()).includes('id="root"');
  } catch {
    return false;
  } finally {
    await wave.remove();
  }
}
const there = await serves();
if (!there && process.env.WAVE_BINARY) throw new Error(`${process.env.WAVE_BINARY} does not serve the application`);

describe.skipIf(!there)('wave serve', () => {
  const on = served();
  const within = (test: (watched: Watched) => Promise<void>) => on.within(test);
  const start = async (page: Page, pipeline: string, input: string): Promise<string> => {
    await page.goto(`/new?pipeline=${pipeline}`);
    await page.getByLabel('Input').fill(input);
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.waitForURL(/\/runs\/[^?]+/);
    return decodeURIComponent(new URL(page.url()).pathname.split('/')[2]!);
  };
  const status = (page: Page, text: string) => page.locator('header .status', { hasText: text }).waitFor({ timeout: 30_000 });

  it('starts a run and follows it to its end; the page folds to what the server says', () => within(async ({ page }) => {
    const id = await start(page, 'add-language', 'Teach greet to speak German');
    await status(page, 'Running');
    await status(page, 'Completed');
    await page.getByText('5 of 5 steps').first().waitFor();
    const detail = await on.detail(id);
    expect(detail.run.status).toBe('completed');
    for (const step of detail.steps) {
      const link = page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: new RegExp(`^${step.step}\\s*, Completed`) });
      expect([step.step, await link.count()]).toEqual([step.step, 1]);
    }
    for (const [tab, text] of [['timeline', 'worked'], ['artifacts', 'release-notes'], ['files', 'bin/greet'], ['cost', 'Tokens out'], ['events', 'run_started'], ['retro', 'Where it did not go by itself']] as const) {
      await page.goto(`/runs/${id}?tab=${tab}`);
      await page.getByText(text).first().waitFor({ timeout: 10_000 });
      const found = await look(page);
      if (found.length > 0) console.log(tab, found.join('\n'));
      expect([tab, found]).toEqual([tab, []]);
    }
    await page.goto(`/runs/${id}?step=publish&view=output`);
    await page.getByText('on branch').first().waitFor();
  }), 120_000);

  it('answers a gate, and the other way round', () => within(async ({ page, context }) => {
    const id = await start(page, 'ship', 'Release 2.4');
    await status(page, 'Waits for a person');
    const list = await context.newPage();
    await list.goto('/');
    await list.getByRole('button', { name: 'Once more' }).click();
    // The next visit of the same gate is another question, which the command line answers here.
    await expect.poll(() => on.wave.run('gate'), { timeout: 15_000 }).toContain('approve.2');
    expect(on.wave.run('gate', id, 'approve.2', '--choice', 'approve')).not.toContain('error');
    await status(page, 'Completed');
    await list.getByRole('button', { name: 'Publish them' }).waitFor({ state: 'detached' });
  }), 90_000);

  it('says who may answer a gate, and lets nobody else', () => within(async ({ page }) => {
    const id = await start(page, 'guarded', '');
    await status(page, 'Waits for a person');
    await page.getByText('You may not answer this one. Who may: bob').first().waitFor();
    expect(await page.getByRole('button', { name: 'Yes' }).first().isDisabled()).toBe(true);
    expect(await page.getByText('This is the demo').count()).toBe(0);
    const refused = await fetch(`${on.base}/api/runs/${id}/gate/ask`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"choice":"y"}' });
    expect(refused.status).toBe(403);
  }), 60_000);

  it('opens a failed run at its failure', () => within(async ({ page }) => {
    await start(page, 'fragile', '');
    await status(page, 'Failed');
    await page.getByText('Retry from judge').waitFor();
    await page.getByRole('tab', { name: 'Output' }).click();
    await page.getByText('p99 is 180 ms, at most 50 ms are allowed').first().waitFor();
    await page.getByRole('button', { name: 'Retry from judge' }).click();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('from', { exact: false }).first().waitFor();
    await status(page, 'Failed');
  }), 60_000);

  it('goes on after the server was killed and started again', () => within(async ({ page }) => {
    const id = await start(page, 'slow', 'a hole');
    await page.getByText('I begin at the top').first().waitFor({ timeout: 20_000 });
    await on.wave.kill('SIGKILL');
    await page.locator('[data-connection=offline]').first().waitFor({ timeout: 20_000 });
    await on.wave.start();
    await page.locator('[data-connection=live]').first().waitFor({ timeout: 30_000 });
    await status(page, 'Running');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await status(page, 'Cancelled');
    const detail = await on.detail(id);
    expect(detail.run.status).toBe('cancelled');
  }), 120_000);

  it('shows a hundred thousand lines', () => within(async ({ page }) => {
    const id = await start(page, 'noisy', '');
    await status(page, 'Completed');
    await page.goto(`/runs/${id}?step=shout&view=output&line=50000`);
    await page.getByText('050000 the quick brown fox').waitFor({ timeout: 20_000 });
    await page.getByText('100k lines', { exact: true }).waitFor({ timeout: 20_000 });
    await page.getByRole('button', { name: 'First error' }).click();
    await page.getByText('error: line 100001 is different').waitFor();
  }), 90_000);

  it('shows runs of the command line as they happen', () => within(async ({ page }) => {
    await page.goto('/');
    await page.locator('[data-connection=live]').first().waitFor();
    on.wave.run('run', 'fragile', 'from a shell');
    await page.locator('.run-row', { hasText: 'from a shell' }).waitFor({ timeout: 10_000 });
  }), 60_000);

  it('has something to show on every other page', () => within(async ({ page }) => {
    for (const [where, text] of [['/pipelines', 'does not load'], ['/pipelines/ship', 'Are these release notes'], ['/pipelines/broken', 'nobody'], ['/personas', 'planner'], ['/personas/writer', 'May not use'], ['/contracts', 'plan'], ['/adapters', 'scripted'], ['/retros', 'What was in the way'], ['/activity', 'submitRun'], ['/server', 'Takes new work']] as const) {
      await page.goto(where);
      await page.getByText(text).first().waitFor({ timeout: 10_000 }).catch(() => { throw new Error(`${where} does not show “${text}”`); });
      const found = await look(page);
      if (found.length > 0) console.log(where, found.join('\n'));
      expect([where, found]).toEqual([where, []]);
    }
  }), 90_000);
});

describe.skipIf(!there)('wave serve that asks who one is', () => {
  const secret = 'a secret that is as long as its hash wants it to be';
  const on = served(`server:\n  auth:\n    mode: jwt\n    jwt_secret: "${secret}"\n`);
  const token = (role: string) => on.wave.run('token', 'create', '--subject', 'ada', '--role', role, '--expires', '1h').trim().split(/\s+/).find((word) => /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(word)) ?? '';

  it('takes a token, opens a session, changes something, and signs out', async () => {
    const { context, page, complaints } = await open(on.browser, on.base);
    await page.goto('/pipelines');
    await page.getByRole('heading', { name: 'Sign in to wave' }).waitFor();
    await page.getByLabel('Token').fill('not.a.token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Token').fill(token('admin'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Pipelines' }).waitFor();
    await page.locator('[data-connection=live]').first().waitFor();
    await page.goto('/server');
    await page.getByLabel('Runs at the same time').fill('7');
    await page.getByRole('button', { name: 'Set' }).click();
    await page.getByText('Changed').first().waitFor();
    expect(((await (await context.request.get('/api/queue')).json()) as { max_concurrent: number }).max_concurrent).toBe(7);
    await page.goto('/activity');
    await page.getByText('ada').first().waitFor();
    await page.goto('/server');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to wave' }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  }, 60_000);

  it('says so when a viewer wants too much', async () => {
    const { context, page } = await open(on.browser, on.base);
    await page.goto('/login?next=%2Fnew%3Fpipeline%3Dfragile');
    await page.getByLabel('Token').fill(token('viewer'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.getByRole('alert').getByText(/operator/).waitFor();
    await context.close();
  }, 60_000);

  it('takes a link once', async () => {
    const link = /https?:\/\/\S+#code=\S+/.exec(on.wave.run('token', 'login-link', '--subject', 'ada', '--role', 'operator'))?.[0] ?? '';
    expect(link).toContain('#code=');
    const { context, page } = await open(on.browser, on.base);
    await page.goto(link);
    await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
    expect(page.url()).not.toContain('code=');
    await context.close();
    const other = await open(on.browser, on.base);
    await other.page.goto(link);
    await other.page.getByRole('alert').waitFor();
    await other.context.close();
  }, 60_000);
});

describe.skipIf(!there)('wave serve --demo', () => {
  it('says on every page that it is the demo', async () => {
    const wave = new Wave();
    const browser = await launch();
    try {
      const base = await wave.start('--demo');
      const { context, page, complaints } = await open(browser, base);
      for (const where of ['/', '/new', '/pipelines', '/server']) {
        await page.goto(where);
        await page.getByRole('region', { name: 'Demo' }).getByText('This is the demo').waitFor({ timeout: 10_000 });
        expect([where, await look(page)]).toEqual([where, []]);
      }
      expect(complaints).toEqual([]);
      await context.close();
    } finally {
      await browser.close();
      await wave.remove();
    }
  }, 60_000);
});
