// A headless Chromium of Debian's, what it complained about, and how a page is looked at.
import { readFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const shots = process.env.WAVE_SHOTS ?? fileURLToPath(new URL('../../../build/screenshots/', import.meta.url));

export async function launch(): Promise<Browser> {
  mkdirSync(shots, { recursive: true });
  return chromium.launch({
    executablePath: process.env.WAVE_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

export const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };

export interface Watched {
  context: BrowserContext;
  page: Page;
  /** What the console, the page and the Content-Security-Policy complained about. */
  complaints: string[];
}

export async function open(browser: Browser, base: string, options: { size?: keyof typeof sizes; dark?: boolean } = {}): Promise<Watched> {
  const context = await browser.newContext({
    baseURL: base, viewport: sizes[options.size ?? 'wide'], colorScheme: options.dark ? 'dark' : 'light', reducedMotion: 'reduce',
    locale: 'en-GB', timezoneId: 'UTC',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`));
  page.on('console', (message) => {
    // Answers of 4xx are part of what is tested.
    if (message.type() === 'error' && !/status of (401|403|404|409|410|503)|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|net::/.test(message.text())) complaints.push(`console: ${message.text()}`);
  });
  return { context, page, complaints };
}

export async function look(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[] }> } };
    return (await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations;
  });
  return found.map((one) => `${one.id} (${one.impact}): ${one.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} – ${node.failureSummary.split('\n')[1]?.trim() ?? ''}`).join(' | ')}`);
}

export function folder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'wave-browser-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
