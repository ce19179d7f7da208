// Every action of every screen, against the real `wave serve`: what is asked, what is answered, and where the
// answer is shown.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { RunDetail } from '../../src/api/types';
import { look, open, type Watched } from './browser';
import { served } from './served';
import { binary } from './wave';

describe.skipIf(!binary)('on wave serve, one', () => {
  const on = served();
  // Refusals of 400 and 422 are what some of these are about.
  const within = (test: (watched: Watched) => Promise<void>) => on.within(test, /status of (400|422)/);
  const status = (page: Page, text: string) => page.locator('header .status', { hasText: text }).waitFor({ timeout: 30_000 });
  const runOf = (page: Page) => decodeURIComponent(new URL(page.url()).pathname.split('/')[2]!);

  it('fills in a form, and is told at the fields what does not fit', () => within(async ({ page }) => {
    await page.goto('/new?pipeline=release');
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.getByText('2 fields need another look.').waitFor();
    const version = page.getByLabel('Version');
    expect(await version.getAttribute('aria-invalid')).toBe('true');
    await expect.poll(() => version.evaluate((element) => element === document.activeElement)).toBe(true);
    await version.fill('two');
    await page.getByText('Has to look like').waitFor();
    await version.fill('2.4');
    await page.getByText('Has to look like').waitFor({ state: 'detached' });
    await page.getByLabel('Channel').selectOption('stable');
    await page.getByLabel('Copies').fill('3');
    await page.getByRole('button', { name: 'Add one' }).click();
    await page.getByLabel('Reviewers, number 1').fill('ada');
    await page.getByLabel('Host').fill('deploy.example.org');
    await page.getByLabel('Only a draft').check();
    // This one only the server can tell: a format.
    await page.getByLabel('Contact').fill('nobody');
    expect(await look(page)).toEqual([]);
    await page.getByRole('button', { name: 'Start the run' }).click();
    const contact = page.getByLabel('Contact');
    await expect.poll(() => contact.getAttribute('aria-invalid')).toBe('true');
    expect(await contact.getAttribute('aria-describedby')).toContain('wrong');
    await expect.poll(() => contact.evaluate((element) => element === document.activeElement)).toBe(true);
    await contact.fill('ada@example.org');
    await expect.poll(() => contact.getAttribute('aria-invalid')).toBe('false');
    // The JSON is the same input, both ways.
    await page.getByRole('button', { name: 'JSON', exact: true }).click();
    const json = page.getByLabel('Input as JSON');
    const written = JSON.parse(await json.inputValue()) as Record<string, unknown>;
    expect(written).toEqual({ version: '2.4', channel: 'stable', copies: 3, reviewers: ['ada'], target: { host: 'deploy.example.org', path: '/srv/app' }, draft: true, contact: 'ada@example.org' });
    await json.fill('{"version": "2.5"');
    expect(await page.getByRole('button', { name: 'Form', exact: true }).isDisabled()).toBe(true);
    await json.fill(JSON.stringify({ ...written, version: '2.5' }));
    await page.getByRole('button', { name: 'Form', exact: true }).click();
    expect(await page.getByLabel('Version').inputValue()).toBe('2.5');
    await page.getByRole('button', { name: 'Show the plan first' }).click();
    await page.getByText('Nothing was started').waitFor();
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.waitForURL(/\/runs\//);
    await status(page, 'Completed');
    const id = runOf(page);
    const input = (await on.api<RunDetail>(`/api/runs/${id}`)).run.input!;
    expect(JSON.parse(input)).toEqual({ ...written, version: '2.5' });
    // Repeat and edit: the form has what the old run had.
    await page.getByRole('link', { name: 'Run again' }).click();
    await expect.poll(() => page.getByLabel('Version').inputValue()).toBe('2.5');
    expect(await page.getByLabel('Reviewers, number 1').inputValue()).toBe('ada');
    await page.getByLabel('Version').fill('2.6');
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.waitForURL((url) => url.pathname.startsWith('/runs/') && !url.pathname.includes(id));
    await status(page, 'Completed');
    expect(JSON.parse((await on.api<RunDetail>(`/api/runs/${runOf(page)}`)).run.input!)).toMatchObject({ version: '2.6', copies: 3 });
  }), 120_000);

  it('falls back to JSON where a schema is beyond a form', () => within(async ({ page }) => {
    await page.goto('/new?pipeline=shapes');
    const json = page.getByLabel('Input as JSON');
    await json.fill('{"shape": {"radius": "wide"}}');
    await page.getByText('Its schema', { exact: true }).click();
    await page.getByText('"radius"').first().waitFor();
    expect(await look(page)).toEqual([]);
    await page.getByRole('button', { name: 'Start the run' }).click();
    await expect.poll(() => json.getAttribute('aria-invalid')).toBe('true');
    await page.getByText('/shape').first().waitFor();
    await json.fill('{"shape": {"radius": 3}}');
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.waitForURL(/\/runs\//);
    await status(page, 'Completed');
  }), 60_000);

  it('offers a choice where the input is one of a few words', () => within(async ({ page }) => {
    await page.goto('/new?pipeline=pick');
    await page.getByText('Which part is to be looked at').waitFor();
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.getByText('Is required').waitFor();
    await page.getByLabel('Input', { exact: true }).selectOption('printer');
    await page.getByText('wave run pick \'printer\'').waitFor();
    expect(await look(page)).toEqual([]);
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.waitForURL(/\/runs\//);
    await status(page, 'Completed');
    expect((await on.api<RunDetail>(`/api/runs/${runOf(page)}`)).run.input).toBe('printer');
  }), 60_000);

  it('says at an option what the server says of it', () => within(async ({ page }) => {
    await page.goto('/new?pipeline=fragile');
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Adapter').fill('nobody');
    await page.getByText('Options', { exact: true }).click();
    await page.getByRole('button', { name: 'Start the run' }).click();
    await expect.poll(() => page.getByLabel('Adapter').getAttribute('aria-invalid')).toBe('true');
    await page.getByText('there is no adapter').first().waitFor();
  }), 60_000);

  it('answers one gate in two tabs at once: one of them decides, the other is told', () => within(async ({ page }) => {
    const id = await on.submit('ship', 'Release 3.0');
    await on.becomes(id, 'waiting');
    // A browser of somebody else's: nothing is shared but the server.
    const other = await open(on.browser, on.base);
    const tabs = [page, other.page];
    const arrived: (() => void)[] = [];
    for (const tab of tabs) {
      await tab.route('**/gate/approve', async (route) => {
        await new Promise<void>((resolve) => {
          arrived.push(resolve);
          // Both have been clicked before either gets through.
          if (arrived.length === tabs.length) for (const go of arrived) go();
        });
        await route.continue();
      });
      await tab.goto(`/runs/${id}`);
      await tab.getByRole('button', { name: 'Publish them' }).waitFor();
    }
    await Promise.all([page.getByRole('button', { name: 'Publish them' }).click(), other.page.getByRole('button', { name: 'Once more' }).click()]);
    const toldDecided = async () => (await Promise.all(tabs.map(async (tab) => (await tab.locator('.toast', { hasText: 'Decided' }).count()) > 0))).filter(Boolean).length;
    await expect.poll(toldDecided, { timeout: 10_000 }).toBe(1);
    const decisions = async () => (await (await fetch(`${on.base}/api/runs/${id}/logs?limit=500`)).text()).match(/gate_resolved/g)?.length;
    await expect.poll(decisions, { timeout: 10_000 }).toBe(1);
    await other.context.close();
    await fetch(`${on.base}/api/runs/${id}/cancel`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"force":true}' });
  }), 60_000);

  it('keeps a question over a restart of the server, and takes the answer after it', () => within(async ({ page }) => {
    const id = await on.submit('ship', 'Release 3.1');
    await page.goto(`/runs/${id}`);
    await page.getByRole('button', { name: 'Publish them' }).waitFor({ timeout: 20_000 });
    await page.getByLabel('Your answer').fill('Looks good to me');
    await on.wave.kill('SIGKILL');
    await page.locator('[data-connection=offline]').first().waitFor({ timeout: 20_000 });
    await page.getByRole('button', { name: 'Publish them' }).click();
    await page.getByText('The decision was not taken').first().waitFor();
    await on.wave.start();
    await page.locator('[data-connection=live]').first().waitFor({ timeout: 30_000 });
    // What was written is still there.
    expect(await page.getByLabel('Your answer').inputValue()).toBe('Looks good to me');
    await page.getByRole('button', { name: 'Publish them' }).click();
    await status(page, 'Completed');
    const gate = (await on.api<RunDetail>(`/api/runs/${id}`)).gates[0]!;
    expect([gate.choice, gate.text]).toEqual(['approve', 'Looks good to me']);
  }), 120_000);

  it('resumes from a step, and links the runs both ways', () => within(async ({ page }) => {
    const id = await on.submit('fragile', 'to be resumed');
    await on.becomes(id, 'failed');
    await page.goto(`/runs/${id}?step=measure&view=details`);
    await page.getByRole('button', { name: 'Run again from here' }).click();
    await page.getByRole('dialog', { name: 'Resume from measure?' }).getByRole('button', { name: 'Start the new run' }).click();
    await page.waitForURL((url) => url.pathname.startsWith('/runs/') && !url.pathname.includes(id));
    await status(page, 'Failed');
    const child = runOf(page);
    // To its origin, and from there back to it.
    await page.getByRole('navigation', { name: 'Where this is' }).getByRole('link').last().click();
    await page.waitForURL(new RegExp(id));
    await page.getByRole('navigation', { name: 'Runs made from this one' }).getByRole('link').click();
    await page.waitForURL(new RegExp(child));
    await status(page, 'Failed');
  }), 60_000);

  it('cancels several at once, and keeps a view of the list', () => within(async ({ page }) => {
    const ids = [await on.submit('slow', 'hole one'), await on.submit('slow', 'hole two')];
    await page.goto('/');
    await page.getByLabel('Search in inputs and names').fill('hole');
    await page.waitForURL(/q=hole/);
    await page.locator('.run-row', { hasText: 'hole two' }).waitFor();
    await expect.poll(() => page.locator('.run-row').count()).toBe(2);
    for (const id of ids) await page.getByLabel(`Select ${id}`).check({ force: true });
    await page.getByRole('button', { name: 'Cancel 2' }).click();
    await page.getByRole('dialog', { name: 'Cancel 2 runs?' }).getByRole('button', { name: 'Cancel them' }).click();
    for (const id of ids) await on.becomes(id, 'cancelled');
    await expect.poll(() => page.locator('.run-row', { hasText: 'Cancelled' }).count(), { timeout: 10_000 }).toBe(2);
    await page.getByRole('button', { name: 'Cancelled', exact: true }).click();
    await page.waitForURL(/status=cancelled/);
    await expect.poll(() => page.locator('.run-row').count()).toBe(2);
  }), 90_000);

  it('checks an edited copy of a pipeline, and says where it is wrong', () => within(async ({ page }) => {
    await page.goto('/pipelines/ship');
    await page.getByRole('button', { name: 'Check an edited copy' }).click();
    const copy = page.getByLabel('A copy of ship');
    const text = await copy.inputValue();
    await page.getByRole('button', { name: 'Check this copy' }).click();
    await page.getByText('It loads and can be run').waitFor();
    await copy.fill(text.replace('persona: writer', 'persona: wirter'));
    await page.getByRole('button', { name: 'Check this copy' }).click();
    await page.getByText('It does not load').waitFor();
    await page.getByText('wirter').last().waitFor();
    expect((await on.api<{ pipeline: { valid: boolean } }>('/api/pipelines/ship')).pipeline.valid).toBe(true);
  }), 60_000);

  it('drains the queue and lets it go on', () => within(async ({ page }) => {
    const queue = () => on.api<{ draining: boolean; max_concurrent: number }>('/api/queue');
    await page.goto('/server');
    await page.getByRole('button', { name: 'Drain …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await expect.poll(async () => (await queue()).draining).toBe(true);
    await page.goto('/');
    await page.getByText('Draining: nothing new starts').waitFor();
    await page.goto('/server');
    await page.getByRole('button', { name: 'Start again' }).click();
    await expect.poll(async () => (await queue()).draining).toBe(false);
  }), 60_000);

  it('looks back over several runs, and compares one with those before it', () => within(async ({ page }) => {
    const ids: string[] = [];
    for (const language of ['Danish', 'Frisian', 'Latin', 'Welsh']) {
      ids.push(await on.submit('add-language', `Teach greet to speak ${language}`));
      await on.becomes(ids.at(-1)!, 'completed');
    }
    await on.becomes(await on.submit('fragile', 'for comparison'), 'failed');
    await page.goto('/retros');
    const card = page.getByRole('region', { name: 'add-language', exact: true });
    await card.getByText(/\d+ runs/).first().waitFor();
    const { stats } = await on.api<{ stats: { pipeline: string; runs: number; cost_usd: number }[] }>('/api/retros?limit=100');
    const own = stats.find((one) => one.pipeline === 'add-language')!;
    expect(own.runs).toBeGreaterThanOrEqual(4);
    await card.getByText(new RegExp(`^${own.runs} runs`)).waitFor();
    await card.getByText('Duration of each run').first().waitFor();
    // The step that was reworked in each of them stands out.
    await card.getByRole('row', { name: /implement/ }).waitFor();
    await page.getByLabel('Pipeline').selectOption('fragile');
    await page.getByRole('region', { name: 'fragile', exact: true }).waitFor();
    await card.waitFor({ state: 'detached' });
    expect(await look(page)).toEqual([]);
    await page.goto(`/runs/${ids.at(-1)}?tab=retro`);
    await page.getByText(/half of \d+ earlier ones/).first().waitFor();
    await page.goto(`/pipelines/add-language`);
    await page.getByText('Went well').waitFor();
    await page.getByText(/nine of ten up to/).waitFor();
  }), 180_000);

  it('shows what a run changed, side by side and in one column', () => within(async ({ page }) => {
    const id = await on.submit('add-language', 'Teach greet to speak Maltese');
    await on.becomes(id, 'completed');
    await page.goto(`/runs/${id}?tab=files`);
    const list = page.getByRole('list', { name: 'Changed files' });
    await list.getByText('bin/greet').waitFor();
    const { files, total_additions } = await on.api<{ files: { path: string; additions: number }[]; total_additions: number }>(`/api/runs/${id}/diff`);
    expect(await list.getByRole('link').count()).toBe(files.length);
    expect(files.reduce((sum, file) => sum + file.additions, 0)).toBe(total_additions);
    for (const file of files) {
      await list.getByRole('link', { name: new RegExp(file.path.replaceAll('/', '\\/')) }).click();
      const change = page.getByRole('region', { name: `Changes of ${file.path}` });
      await expect.poll(() => change.locator('.diff-code-insert').count(), { timeout: 10_000 }).toBe(file.additions);
      await expect.poll(() => new URL(page.url()).searchParams.get('file')).toBe(file.path);
    }
    const change = page.getByRole('region', { name: /^Changes of/ });
    await change.locator('table.diff-split').waitFor();
    await change.getByLabel('Side by side').uncheck();
    await change.locator('table.diff-unified').waitFor();
    expect(await look(page)).toEqual([]);
  }), 90_000);

  it('finds its way by the palette, and by deep links', () => within(async ({ page }) => {
    const id = await on.submit('noisy', '');
    await on.becomes(id, 'completed');
    await page.goto('/personas');
    await page.getByText('planner').first().waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('retrospectives');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/retros$/);
    await page.goto(`/runs/${id}?step=shout&view=output&line=77777`);
    await page.locator('.line.here', { hasText: '077777 the quick brown fox' }).waitFor({ timeout: 20_000 });
  }), 60_000);
});
