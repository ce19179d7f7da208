// Every screen, light and dark, wide and narrow: it appears, nothing complains, axe finds nothing, nothing
// sticks out sideways; and a picture of it is kept for somebody to look at.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { fill, MockServer } from '../mock/server';
import { launch, look, open, shots } from './browser';

const server = new MockServer(process.env.WAVE_WEB_DIST);
let base = '';
let browser: Browser;
const runs = fill(server);

beforeAll(async () => {
  base = await server.listen();
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const screens: [string, () => string, string][] = [
  ['runs', () => '/', 'Waits for you'],
  ['runs-filtered', () => '/?status=cancelled', 'No run is like that'],
  ['run-live', () => `/runs/${runs.live}`, 'Activity'],
  ['run-done', () => `/runs/${runs.done}?step=implement&attempt=1.1`, 'I add the option to greet'],
  ['run-gate', () => `/runs/${runs.gate}`, 'fit to be published'],
  ['run-failed', () => `/runs/${runs.failed}`, 'Retry from judge'],
  ['run-output', () => `/runs/${runs.shipped}?step=publish&view=output`, 'uploaded part 7 of 40'],
  ['run-contracts', () => `/runs/${runs.done}?step=implement&view=contracts`, 'agent_review'],
  ['run-details', () => `/runs/${runs.done}?step=implement&view=details`, 'Workspace'],
  ['run-timeline', () => `/runs/${runs.done}?tab=timeline`, 'worked'],
  ['run-artifacts', () => `/runs/${runs.done}?tab=artifacts&artifact=plan%2Fplan`, 'choose the words'],
  ['run-markdown', () => `/runs/${runs.shipped}?tab=artifacts`, 'twice as polite'],
  ['run-files', () => `/runs/${runs.done}?tab=files`, 'Side by side'],
  ['run-cost', () => `/runs/${runs.done}?tab=cost`, 'Tokens out'],
  ['run-events', () => `/runs/${runs.done}?tab=events`, 'step_completed'],
  ['run-retro', () => `/runs/${runs.done}?tab=retro`, 'Where it did not go by itself'],
  ['run-missing', () => '/runs/nothing', 'There is nothing here'],
  ['new', () => '/new?pipeline=add-language', 'The same in a shell'],
  ['new-form', () => '/new?pipeline=release', 'Two or three numbers'],
  ['pipelines', () => '/pipelines', 'does not load'],
  ['pipeline', () => '/pipelines/add-language', 'How it goes'],
  ['pipeline-broken', () => '/pipelines/broken', 'there is no persona'],
  ['personas', () => '/personas', 'turns a request into a plan'],
  ['persona', () => '/personas/writer', 'May not use'],
  ['contracts', () => '/contracts', 'A plan'],
  ['contract', () => '/contracts/plan.schema', 'As a tree'],
  ['adapters', () => '/adapters', 'Claude Code'],
  ['retros', () => '/retros', 'What was in the way'],
  ['activity', () => '/activity', 'decideGate'],
  ['server', () => '/server', 'Runs at the same time'],
  ['login', () => '/login', 'Sign in to wave'],
];
const only = process.env.WAVE_ONLY ? process.env.WAVE_ONLY.split(',') : undefined;

describe.each([
  { name: 'wide-light', size: 'wide', dark: false }, { name: 'wide-dark', size: 'wide', dark: true },
  { name: 'narrow-light', size: 'narrow', dark: false }, { name: 'narrow-dark', size: 'narrow', dark: true },
] as const)('$name', ({ name, size, dark }) => {
  it.each(screens.filter(([screen]) => !only || only.includes(screen)))('%s', async (screen, where, text) => {
    const { context, page, complaints } = await open(browser, base, { size, dark });
    try {
      await page.goto(where());
      if (screen === 'contract') await page.getByRole('region', { name: text }).waitFor({ timeout: 8_000 });
      else await page.getByText(text).first().waitFor({ timeout: 8_000, state: 'attached' });
      await page.waitForLoadState('load');
      await page.evaluate(() => document.fonts.ready);
      await page.waitForFunction(() => !document.querySelector('main .bone'), undefined, { timeout: 8_000 });
      await page.waitForTimeout(250);
      await page.screenshot({ path: join(shots, `${screen}-${name}.png`) });
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(sideways, 'sticks out sideways').toBeLessThanOrEqual(0);
      const found = await look(page);
      if (found.length + complaints.length > 0) console.log(`${screen} ${name}:\n  ${[...found, ...complaints].join('\n  ')}`);
      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  });
});
