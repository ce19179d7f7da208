import { expect, it } from 'vitest';
import { insist } from './lazily';

it('tries again until the line is back', async () => {
  let tries = 0;
  const waits: number[] = [];
  const got = await insist(async () => {
    if (++tries < 4) throw new Error('Failed to fetch dynamically imported module');
    return 'part';
  }, async (ms) => void waits.push(ms));
  expect([got, waits]).toEqual(['part', [500, 1_000, 2_000]]);
});

it('gives up in the end, with what was wrong', async () => {
  await expect(insist(async () => { throw new Error('gone'); }, async () => undefined)).rejects.toThrow('gone');
});
