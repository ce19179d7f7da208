// The fold against what wave itself projected: events and rows were recorded from the real binary.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { graphs } from '../../tests/graphs';
import type { RunEvent } from '../api/types';
import { Attempts } from './attempts';
import { fold, initialState, project } from './fold';

const folder = new URL('../../tests/recordings/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const eventsOf = (name: string) => read(`${name}.jsonl`).trim().split('\n').map((line) => JSON.parse(line) as RunEvent);

interface Recorded {
  run: Record<string, unknown>;
  steps: Record<string, unknown>[];
}

function folded(events: RunEvent[]) {
  const pipeline = String(events[0]!.pipeline);
  const state = initialState(events[0]!.run_id, pipeline, graphs[pipeline]!);
  for (const event of events) fold(state, event);
  return state;
}
const orEmpty = (value: unknown) => value ?? '';

describe.each(['demo', 'ship', 'fragile'])('the fold of %s', (name) => {
  const events = eventsOf(name);
  const wanted = JSON.parse(read(`${name}.rows.json`)) as Recorded;

  it('ends where the store ended', () => {
    const rows = project(folded(events));
    const { cost_usd: cost, completed_at: completed, ...rest } = wanted.run;
    expect(rows.run.finished_at).toEqual(completed);
    expect(rows.run.usage.cost_usd).toBeCloseTo(Number(cost), 9);
    for (const [key, value] of Object.entries(rest)) expect([key, orEmpty(rows.run[key as keyof typeof rows.run])]).toEqual([key, orEmpty(value)]);
    for (const step of wanted.steps) {
      const row = rows.steps.find((one) => one.step === step.step)!;
      const mine: Record<string, unknown> = { ...row, completed_at: row.finished_at };
      for (const key of ['status', 'visit', 'attempt', 'interruptions', 'started_at', 'completed_at', 'workspace', 'reason', 'model', 'adapter']) {
        expect([step.step, key, orEmpty(mine[key])]).toEqual([step.step, key, orEmpty(step[key])]);
      }
      expect(row.usage.cost_usd).toBeCloseTo((step.usage as { cost_usd: number }).cost_usd, 9);
    }
  });

  it('does not depend on how often an event is told', () => {
    const twice = folded(events.flatMap((event) => [event, event]));
    expect(project(twice)).toEqual(project(folded(events)));
  });

  it('notices a hole', () => {
    const state = folded(events.filter((event) => event.seq !== 5));
    expect(state.broken).toBe(true);
    expect(state.run.last_seq).toBe(4);
  });

  it('closes every attempt', () => {
    const attempts = new Attempts();
    for (const event of events) attempts.add(event);
    expect(attempts.all.filter((attempt) => attempt.end === null)).toEqual([]);
    for (const attempt of attempts.all) expect(attempt.waits.every((wait) => wait.to !== null)).toBe(true);
  });
});

it('keeps what a gate said in each visit', () => {
  const gates = eventsOf('ship').filter((event) => event.event === 'gate_resolved').map((event) => [event.gate_id, event.choice]);
  expect(gates).toEqual([['approve.1', 'revise'], ['approve.2', 'approve']]);
  expect(project(folded(eventsOf('ship'))).gates).toMatchObject([{ gate_id: 'approve.2', choice: 'approve', resolved: true }]);
});
