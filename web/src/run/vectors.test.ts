// The fold of the browser against that of the engine: runs of the simulation, with crashes, stops, cancels,
// retries, reworks and gates, as the C++ program wave_vectors wrote them, with the rows that the API shows
// after some of their events and at their end.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Artifact, Gate, Graph, Run, RunEvent, Step } from '../api/types';
import { Attempts } from './attempts';
import { fold, initialState, project } from './fold';

interface State {
  seq: number;
  run: Run;
  steps: Step[];
  gates: Gate[];
  artifacts: Artifact[];
}
interface Vector {
  seed: number;
  graph: Graph;
  events: RunEvent[];
  states: State[];
}

const folder = process.env.WAVE_VECTORS;
const names = folder ? readdirSync(folder).filter((name) => name.endsWith('.json')).sort((a, b) => parseInt(a) - parseInt(b)) : [];
const runFields = ['run_id', 'pipeline', 'status', 'resuming', 'waiting_reason', 'actor', 'input', 'tags', 'origin_run_id', 'failed_step', 'error', 'last_seq', 'queued_at', 'started_at', 'finished_at', 'updated_at', 'steps_total', 'steps_done'] as const;
const stepFields = ['index', 'step', 'status', 'persona', 'adapter', 'model', 'visit', 'attempt', 'interruptions', 'started_at', 'finished_at', 'workspace', 'reason', 'error'] as const;

// Money is added up in another order: not to the last bit.
const cents = <T extends { cost_usd: number }>(usage: T) => ({ ...usage, cost_usd: Number(usage.cost_usd.toFixed(9)) });
const pick = <T extends object, K extends keyof T>(row: T, keys: readonly K[]) => Object.fromEntries(keys.map((key) => [key, row[key] === '' ? null : row[key]]));
const gatesOf = (gates: Gate[]) => gates.map((gate) => ({ ...gate, choices: gate.choices.map((one) => ({ ...one, target: one.target || null })) }));
const byName = (artifacts: Artifact[]) => [...artifacts].sort((a, b) => `${a.step}/${a.name}`.localeCompare(`${b.step}/${b.name}`));

/** The server opens an attempt again for each launch; here a launch that goes on after a stop is the same one. */
const attemptsOf = (attempts: { visit: number; attempt: number; usage: { tokens_in: number; tokens_out: number; cost_usd: number } }[]) => {
  const sums = new Map<string, { tokens_in: number; tokens_out: number; cost_usd: number }>();
  for (const { visit, attempt, usage } of attempts) {
    const sum = sums.get(`${visit}.${attempt}`) ?? { tokens_in: 0, tokens_out: 0, cost_usd: 0 };
    sums.set(`${visit}.${attempt}`, { tokens_in: sum.tokens_in + usage.tokens_in, tokens_out: sum.tokens_out + usage.tokens_out, cost_usd: sum.cost_usd + usage.cost_usd });
  }
  return [...sums].map(([key, usage]) => [key, cents(usage)]);
};

describe.skipIf(names.length === 0)('the fold of a simulated run', () => {
  it.each(names)('%s', (name) => {
    const vector = JSON.parse(readFileSync(join(folder!, name), 'utf8')) as Vector;
    const state = initialState(vector.events[0]!.run_id, String(vector.events[0]!.pipeline), vector.graph);
    const attempts = new Attempts();
    const stops = [...vector.states];
    for (const event of vector.events) {
      fold(state, event);
      attempts.add(event);
      if (stops[0]?.seq !== event.seq) continue;
      const wanted = stops.shift()!;
      const rows = project(state);
      const at = (what: object) => ({ seq: event.seq, ...what });
      expect(at(pick(rows.run, runFields))).toEqual(at(pick(wanted.run, runFields)));
      expect(at(cents(rows.run.usage))).toEqual(at(cents(wanted.run.usage)));
      for (const [i, row] of rows.steps.entries()) {
        expect(at(pick(row, stepFields))).toEqual(at(pick(wanted.steps[i]!, stepFields)));
        expect(at({ step: row.step, usage: cents(row.usage) })).toEqual(at({ step: row.step, usage: cents(wanted.steps[i]!.usage) }));
        expect(at({ step: row.step, attempts: attemptsOf(attempts.of(row.step)) })).toEqual(at({ step: row.step, attempts: attemptsOf(wanted.steps[i]!.attempts) }));
      }
      expect(at(gatesOf(rows.gates))).toEqual(at(gatesOf(wanted.gates)));
      expect(at(byName(rows.artifacts))).toEqual(at(byName(wanted.artifacts)));
    }
    expect(stops).toEqual([]);
    expect(state.broken).toBe(false);
  });
});
