// What happens while one looks: events arrive, a gate is answered in two tabs, the line is cut, keys are pressed.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, afterEach, expect, it } from 'vitest';
import { fill, MockServer } from '../mock/server';
import { launch, look, open } from './browser';

let browser: Browser;
let server: MockServer;
let base = '';
let runs: Record<string, string>;

beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => browser.close());
beforeEach(async () => {
  server = new MockServer(process.env.WAVE_WEB_DIST);
  runs = fill(server);
  base = await server.listen();
});
afterEach(async () => server.close());

it('follows a run to its end without asking again', async () => {
  const { context, page, complaints } = await open(browser, base);
  await page.goto(`/runs/${runs.live}`);
  await page.getByText('Running').first().waitFor();
  await page.locator('[data-connection=live]').first().waitFor();
  server.goOn(runs.live!, 4);
  await page.locator('header .status', { hasText: 'Completed' }).waitFor({ timeout: 15_000 });
  expect(await page.title()).toContain('Completed');
  expect(await page.locator('link[rel=icon]').getAttribute('href')).toBe('/favicon-ok.svg');
  expect(complaints).toEqual([]);
  await context.close();
});

it('puts a new run into the list by the stream alone', async () => {
  const { context, page } = await open(browser, base);
  await page.goto('/');
  await page.locator('[data-connection=live]').first().waitFor();
  const before = await page.locator('.run-row').count();
  const id = server.play('demo', { speed: 5, input: 'Something new' });
  await page.locator(`.run-row[data-run="${id}"]`).waitFor({ timeout: 5_000 });
  expect(await page.locator('.run-row').count()).toBe(before + 1);
  await page.locator(`.run-row[data-run="${id}"]`, { hasText: 'Completed' }).waitFor({ timeout: 10_000 });
  await context.close();
});

it('lets the first of two tabs decide, and tells the other who did', async () => {
  const { context, page } = await open(browser, base);
  const other = await context.newPage();
  for (const one of [page, other]) {
    await one.goto('/');
    await one.getByRole('button', { name: 'Publish them' }).waitFor();
  }
  // The other tab's view of the gate is held back: it still shows it when it clicks.
  await other.evaluate(() => Object.defineProperty(window, 'SharedWorker', { value: undefined }));
  await page.getByRole('button', { name: 'Publish them' }).click();
  await page.getByText('Decided').first().waitFor();
  await page.getByRole('button', { name: 'Publish them' }).waitFor({ state: 'detached' });
  await other.getByRole('button', { name: 'Publish them' }).waitFor({ state: 'detached', timeout: 5_000 });
  await context.close();
});

it('says so when somebody was quicker', async () => {
  const { context, page } = await open(browser, base);
  await page.goto(`/runs/${runs.gate}`);
  const button = page.getByRole('button', { name: 'Publish them' });
  await button.waitFor();
  await page.route('**/gate/approve', async (route) => {
    await fetch(`${base}/api/runs/${runs.gate}/gate/approve`, { method: 'POST', body: JSON.stringify({ gate_id: 'approve.1', choice: 'revise' }) });
    await route.continue();
  });
  await button.click();
  await page.getByText(/Somebody was quicker|Once more/).first().waitFor({ timeout: 5_000 });
  await context.close();
});

it('shows when the line is cut, and catches up by itself', async () => {
  const { context, page } = await open(browser, base);
  await page.goto(`/runs/${runs.live}`);
  await page.locator('[data-connection=live]').first().waitFor();
  await context.setOffline(true);
  server.cut();
  await page.locator('[data-connection=offline]').first().waitFor({ timeout: 10_000 });
  await page.getByText('What you see may be old').waitFor();
  server.goOn(runs.live!, 20);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  await context.setOffline(false);
  await page.locator('[data-connection=live]').first().waitFor({ timeout: 15_000 });
  await page.locator('header .status', { hasText: 'Completed' }).waitFor({ timeout: 10_000 });
  await context.close();
});

it('goes to the login when nobody is signed in, and back', async () => {
  server.loggedIn = false;
  const { context, page } = await open(browser, base);
  await page.goto('/pipelines');
  await page.getByRole('heading', { name: 'Sign in to wave' }).waitFor();
  await page.getByLabel('Token').fill('bad');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('not one of this server’s').waitFor();
  await page.getByLabel('Token').fill('good');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Pipelines' }).waitFor();
  await context.close();
});

it('takes a link’s code out of the address at once', async () => {
  server.loggedIn = false;
  const { context, page } = await open(browser, base);
  await page.goto('/login#code=good-code-0123456789');
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
  expect(page.url()).not.toContain('code');
  await context.close();
});

it('can be used with the keyboard alone', async () => {
  const { context, page, complaints } = await open(browser, base);
  await page.goto('/');
  await page.locator('.run-row').first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\//);
  await page.getByRole('navigation', { name: 'Steps' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  expect(await look(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('combobox');
  await palette.fill('start ship');
  expect(await look(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/new\?pipeline=ship/);
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.waitForURL(/\/pipelines$/);
  expect(complaints).toEqual([]);
  await context.close();
});

it('says what a cancel does before it does it', async () => {
  const { context, page } = await open(browser, base);
  await page.goto(`/runs/${runs.live}`);
  await page.getByRole('button', { name: 'Cancel' }).click();
  const dialog = page.getByRole('dialog', { name: 'Cancel this run?' });
  await dialog.getByText('SIGTERM').waitFor();
  expect(await look(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Cancel the run' }).click();
  await page.locator('header .status', { hasText: 'Cancelled' }).waitFor({ timeout: 5_000 });
  await context.close();
});

it('starts a run and shows its plan first', async () => {
  const { context, page } = await open(browser, base);
  await page.goto('/new?pipeline=add-language');
  await page.getByLabel('Input').fill('Teach greet to speak Latin');
  await page.getByText("wave run add-language 'Teach greet to speak Latin'").waitFor();
  await page.getByRole('button', { name: 'Show the plan first' }).click();
  await page.getByText('Nothing was started').waitFor();
  await page.getByRole('button', { name: 'Start the run' }).click();
  await page.waitForURL(/\/runs\//);
  await page.getByRole('heading', { name: 'Teach greet to speak Latin' }).waitFor();
  await context.close();
});

it('shares one connection among tabs', async () => {
  const { context, page } = await open(browser, base);
  await page.goto('/');
  await page.locator('[data-connection=live]').first().waitFor();
  const second = await context.newPage();
  await second.goto('/pipelines');
  await second.locator('[data-connection=live]').first().waitFor();
  expect(server.openStreams()).toBe(1);
  await context.close();
});
