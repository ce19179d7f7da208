// A run's state is what its events add up to: the same fold as src/flow/fold.cc, as far as rows of the
// API show it. Checked against the rows that the server itself projects (tests/recordings).
import type { Artifact, Failure, Gate, Graph, Run, RunEvent, Step, StepStatus, Usage } from '../api/types';
import { noUsage, stepTerminal } from '../api/types';

export interface StepState {
  index: number;
  id: string;
  kind: string | null;
  persona: string | null;
  reworkOnly: boolean;
  status: StepStatus;
  visit: number;
  attempt: number;
  interruptions: number;
  startedAt: string | null;
  finishedAt: string | null;
  reason: string | null;
  skipReason: string;
  /** What it lacks to go on, by itself, when that is there again: "disk". */
  waitsFor: string;
  workspace: string | null;
  adapter: string | null;
  model: string | null;
  reworkTarget: string;
  reworkFor: string;
  failure: Failure | null;
  artifacts: Map<string, Artifact>;
  gate: Gate | null;
  usage: Usage;
}

export interface RunState {
  run: Run;
  steps: StepState[];
  byId: Map<string, StepState>;
  dependencies: Map<string, string[]>;
  dependents: Map<string, string[]>;
  cancelRequested: { by: string; reason: string; force: boolean } | null;
  stopRequested: boolean;
  /** A hole was met: the state is not to be trusted, fetch again. */
  broken: boolean;
}

const text = (event: RunEvent, name: string): string => {
  const value = event[name];
  return typeof value === 'string' ? value : '';
};
const flag = (event: RunEvent, name: string): boolean => event[name] === true;
const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const orNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

export function addUsage(left: Usage, right: unknown): Usage {
  const more = objectOf(right);
  const number = (name: keyof Usage) => (typeof more[name] === 'number' ? (more[name] as number) : 0);
  return {
    tokens_in: left.tokens_in + number('tokens_in'),
    tokens_out: left.tokens_out + number('tokens_out'),
    tokens_cache_read: left.tokens_cache_read + number('tokens_cache_read'),
    tokens_cache_write: left.tokens_cache_write + number('tokens_cache_write'),
    cost_usd: left.cost_usd + number('cost_usd'),
  };
}

export function initialState(runId: string, pipeline: string, graph: Graph): RunState {
  const steps = graph.nodes.map((node, index): StepState => ({
    index, id: node.step, kind: node.kind || null, persona: node.persona, reworkOnly: node.rework_only,
    status: 'pending', visit: 0, attempt: 0, interruptions: 0, startedAt: null, finishedAt: null, reason: null,
    skipReason: '', waitsFor: '', workspace: null, adapter: null, model: null, reworkTarget: '', reworkFor: '', failure: null,
    artifacts: new Map(), gate: null, usage: noUsage,
  }));
  const dependencies = new Map<string, string[]>();
  const dependents = new Map<string, string[]>();
  for (const edge of graph.edges) {
    if (edge.kind !== 'dependency') continue;
    dependencies.set(edge.to, [...(dependencies.get(edge.to) ?? []), edge.from]);
    dependents.set(edge.from, [...(dependents.get(edge.from) ?? []), edge.to]);
  }
  return {
    run: {
      run_id: runId, pipeline, status: 'queued', resuming: false, waiting_reason: null, queue_position: null,
      actor: null, input: null, tags: {}, origin_run_id: null, failed_step: null, error: null, last_seq: 0,
      queued_at: null, started_at: null, finished_at: null, updated_at: '', duration_ms: null,
      steps_total: 0, steps_done: 0, usage: noUsage,
    },
    steps, byId: new Map(steps.map((step) => [step.id, step])), dependencies, dependents,
    cancelRequested: null, stopRequested: false, broken: false,
  };
}

const isSatisfied = (step: StepState | undefined): boolean =>
  step === undefined || step.status === 'completed' || step.status === 'completed_empty' ||
  (step.status === 'skipped' && (step.skipReason === 'filtered' || step.skipReason === 'jumped_over'));

function makeReady(state: RunState, step: StepState): void {
  if (step.status !== 'pending' || step.reworkOnly) return;
  if (!(state.dependencies.get(step.id) ?? []).every((id) => isSatisfied(state.byId.get(id)))) return;
  step.status = 'ready';
}

function releaseDependents(state: RunState, step: StepState): void {
  if (state.run.status !== 'running') return;
  for (const id of state.dependents.get(step.id) ?? []) {
    const dependent = state.byId.get(id);
    if (dependent) makeReady(state, dependent);
  }
}

function withdrawGate(step: StepState, ts: string): void {
  if (!step.gate || step.gate.resolved) return;
  step.gate = { ...step.gate, resolved: true, outcome: 'withdrawn', decided_at: ts };
}

function finish(step: StepState, status: StepStatus, ts: string): void {
  step.status = status;
  step.waitsFor = '';
  step.finishedAt = ts;
  withdrawGate(step, ts);
}

function failureOf(event: RunEvent, code: string): Failure {
  return { code: text(event, 'code') || code, message: text(event, 'message') };
}

function spend(state: RunState, step: StepState, event: RunEvent): void {
  if (event.usage === undefined) return;
  step.usage = addUsage(step.usage, event.usage);
  state.run.usage = addUsage(state.run.usage, event.usage);
}

function artifactOf(event: Record<string, unknown>, step: string): Artifact {
  return {
    step, name: String(event.name ?? ''), type: orNull(event.type), path: orNull(event.path),
    sha256: String(event.sha256 ?? ''), size: typeof event.size === 'number' ? event.size : 0,
  };
}

function ofRun(state: RunState, event: RunEvent): void {
  const { run } = state;
  switch (event.event) {
    case 'run_queued': {
      run.status = 'queued';
      run.waiting_reason = null;
      run.resuming = flag(event, 'resuming');
      if (run.queued_at) {
        state.stopRequested = false;
        return;
      }
      run.queued_at = event.ts;
      run.actor = event.actor ?? null;
      run.pipeline = text(event, 'pipeline') || run.pipeline;
      const options = objectOf(event.options);
      run.input = orNull(options.input);
      run.tags = objectOf(options.tags) as Record<string, string>;
      return;
    }
    case 'run_forked': {
      run.origin_run_id = text(event, 'origin_run_id');
      const origin = objectOf(event.state);
      for (const item of listOf(origin.steps)) {
        const from = objectOf(item);
        const step = state.byId.get(String(from.id));
        if (!step) continue;
        step.status = from.status === 'completed_empty' || from.status === 'skipped'
          ? (from.status as StepStatus) : 'completed';
        step.skipReason = String(from.skip_reason ?? '');
        step.reason = 'forked';
        step.visit = 1;
        step.attempt = 1;
        step.workspace = orNull(from.workspace);
        step.model = orNull(from.model);
        step.adapter = orNull(from.adapter);
        step.usage = addUsage(noUsage, from.usage);
        for (const artifact of listOf(from.artifacts)) {
          const made = artifactOf(objectOf(artifact), step.id);
          step.artifacts.set(made.name, made);
        }
        step.finishedAt = event.ts;
      }
      const failure = objectOf(origin.failure);
      const failed = state.byId.get(String(failure.step ?? ''));
      if (failed) failed.failure = { code: String(failure.code ?? ''), message: String(failure.message ?? '') };
      return;
    }
    case 'run_started':
    case 'run_resumed':
      run.status = 'running';
      run.resuming = false;
      run.waiting_reason = null;
      run.started_at ??= event.ts;
      if (event.event === 'run_resumed') state.stopRequested = false;
      for (const step of state.steps) makeReady(state, step);
      return;
    case 'run_waiting':
      run.status = 'waiting';
      run.waiting_reason = orNull(event.reason);
      return;
    case 'run_wait_ended':
      if (run.waiting_reason === event.reason) run.waiting_reason = null;
      for (const step of state.steps) {
        if (step.waitsFor === event.reason) step.waitsFor = '';
      }
      return;
    case 'run_cancel_requested':
      state.cancelRequested ??= { by: text(event, 'by'), reason: text(event, 'reason'), force: false };
      if (flag(event, 'force')) state.cancelRequested.force = true;
      return;
    case 'run_stop_requested':
      state.stopRequested = true;
      return;
    case 'run_completed':
    case 'run_failed':
    case 'run_rejected':
    case 'run_cancelled':
      run.status = event.event === 'run_completed'
        ? (event.status === 'empty' ? 'completed_empty' : 'completed')
        : (event.event.slice(4) as Run['status']);
      run.finished_at = event.ts;
      run.waiting_reason = null;
      for (const step of state.steps) {
        withdrawGate(step, event.ts);
        if (step.status === 'ready') step.status = 'pending';
      }
      if (event.event === 'run_failed') {
        if (event.step) run.failed_step = event.step;
        run.error = failureOf(event, 'internal_error');
      }
      return;
    default:
  }
}

function beginVisit(step: StepState, event: RunEvent): void {
  if (step.visit > 0) step.failure = null;
  step.interruptions = 0;
  step.reworkTarget = '';
  step.skipReason = '';
  step.artifacts = new Map();
  step.startedAt = event.ts;
  step.finishedAt = null;
  step.reworkFor = text(event, 'rework_for');
}

function stepStarted(step: StepState, event: RunEvent): void {
  const reason = text(event, 'reason');
  if (reason !== 'resume' && reason !== 'interrupted') {
    if (event.visit !== step.visit) beginVisit(step, event);
    step.artifacts = new Map();
  }
  step.status = 'running';
  step.waitsFor = '';
  step.reason = reason;
  step.visit = event.visit ?? 1;
  step.attempt = event.attempt ?? 1;
  if (event.adapter !== undefined) step.adapter = orNull(event.adapter);
  if (event.model !== undefined) step.model = orNull(event.model);
  step.kind ??= orNull(event.kind);
}

/** What the repairing step made stands for what the failed one made. */
function handOver(target: StepState, failed: StepState): void {
  for (const artifact of target.artifacts.values()) {
    failed.artifacts.set(artifact.name, { ...artifact, step: failed.id });
  }
  failed.status = 'running';
  if (target.workspace) failed.workspace = target.workspace;
}

function endsRun(state: RunState, step: StepState): void {
  if (state.run.failed_step) return;
  state.run.failed_step = step.id;
  state.run.error = step.failure;
}

function gateOf(state: RunState, step: StepState, event: RunEvent): Gate {
  return {
    run_id: state.run.run_id, gate_id: text(event, 'gate_id'), step: step.id, type: text(event, 'type'),
    prompt: text(event, 'prompt'),
    choices: listOf(event.choices).map((item) => {
      const choice = objectOf(item);
      return { key: String(choice.key ?? ''), label: String(choice.label ?? ''), target: orNull(choice.target) };
    }),
    freeform: flag(event, 'freeform'), default_choice: orNull(event.default), opened_at: event.ts,
    approvers: listOf(event.approvers).map(String), forbid_self_approval: flag(event, 'forbid_self_approval'),
    may_answer: true, // an event does not say who looks at it; the list of waiting gates does
    deadline: orNull(event.deadline), resolved: false, outcome: null, choice: null, text: null, by: null, via: null,
    decided_at: null,
  };
}

function ofStep(state: RunState, step: StepState, event: RunEvent): void {
  switch (event.event) {
    case 'step_started':
      return stepStarted(step, event);
    case 'step_completed': {
      finish(step, event.status === 'empty' ? 'completed_empty' : 'completed', event.ts);
      step.failure = null;
      const failed = step.reworkFor ? state.byId.get(step.reworkFor) : undefined;
      if (failed && failed.status === 'reworking' && failed.reworkTarget === step.id) handOver(step, failed);
      return releaseDependents(state, step);
    }
    case 'step_failed':
      finish(step, 'failed', event.ts);
      step.failure = failureOf(event, 'internal_error');
      if (!flag(event, 'tolerated')) endsRun(state, step);
      return;
    case 'step_rejected':
      // Why was said before: by its contract.
      finish(step, 'rejected', event.ts);
      step.failure ??= failureOf(event, 'internal_error');
      return endsRun(state, step);
    case 'step_cancelled':
      return finish(step, 'cancelled', event.ts);
    case 'step_skipped':
      finish(step, 'skipped', event.ts);
      step.skipReason = text(event, 'reason');
      if (step.skipReason === 'failed') step.failure = failureOf(event, 'internal_error');
      if (isSatisfied(step)) releaseDependents(state, step);
      return;
    case 'step_retrying':
      step.status = 'retrying';
      step.failure = failureOf(event, step.failure?.code ?? 'internal_error');
      return;
    case 'step_reworking': {
      step.status = 'reworking';
      step.reworkTarget = text(event, 'target');
      step.failure = failureOf(event, 'internal_error');
      const target = state.byId.get(step.reworkTarget);
      if (target && stepTerminal.has(target.status)) target.reworkFor = '';
      return;
    }
    case 'step_interrupted':
      step.status = 'interrupted';
      step.waitsFor = '';
      if (event.reason !== 'stopped' && event.reason !== 'disk') step.interruptions += 1;
      return spend(state, step, event);
    case 'step_waiting':
      step.waitsFor = text(event, 'reason');
      return;
    case 'steps_reset': {
      const again = listOf(event.steps).map((id) => state.byId.get(String(id))).filter((one) => one !== undefined);
      for (const one of again) {
        withdrawGate(one, event.ts);
        one.status = 'pending';
        one.waitsFor = '';
        one.attempt = 0;
        one.failure = null;
        one.skipReason = '';
        one.reworkTarget = '';
        one.reworkFor = '';
        one.finishedAt = null;
      }
      for (const one of again) makeReady(state, one);
      return;
    }
    case 'agent_exited':
      spend(state, step, event);
      if (orNull(event.model)) step.model = text(event, 'model');
      if (orNull(event.adapter)) step.adapter = text(event, 'adapter');
      if (!flag(event, 'succeeded') && event.failure_class !== 'stopped') step.failure = failureOf(event, 'agent_failed');
      return;
    case 'workspace_created':
      step.workspace = orNull(event.path);
      return;
    case 'artifact_created': {
      const artifact = artifactOf(event, step.id);
      step.artifacts.set(artifact.name, artifact);
      return;
    }
    case 'contract_passed':
      return spend(state, step, event);
    case 'contract_failed':
      spend(state, step, event);
      // Whether it is more than a warning is said by what follows.
      if (event.failure_class !== 'canceled' && event.failure_class !== 'stopped') step.failure = failureOf(event, 'contract_failed');
      return;
    case 'gate_waiting':
      step.gate = gateOf(state, step, event);
      step.status = 'waiting';
      return;
    case 'gate_resolved':
      if (!step.gate) return;
      step.gate = {
        ...step.gate, resolved: true, outcome: orNull(event.outcome), choice: orNull(event.choice),
        text: orNull(event.text), by: orNull(event.by), via: orNull(event.via), decided_at: event.ts,
      };
      step.status = step.gate.gate_id.includes('!') ? 'interrupted' : 'running';
      return;
    default:
  }
}

/** Folds one event into the state. A hole in the numbers marks it as broken. */
export function fold(state: RunState, event: RunEvent): void {
  if (event.seq <= state.run.last_seq) return;
  if (event.seq !== state.run.last_seq + 1) {
    state.broken = true;
    return;
  }
  state.run.last_seq = event.seq;
  state.run.updated_at = event.ts;
  if (event.event === 'stream_activity') return;
  // The end of a run names the step that brought it about: it is the run's all the same.
  const step = event.step !== undefined && !event.event.startsWith('run_') ? state.byId.get(event.step) : undefined;
  if (step) ofStep(state, step, event);
  else ofRun(state, event);
}

// Only in these is the last failure news.
const showsFailure = new Set<string>(['failed', 'rejected', 'retrying', 'reworking']);

export function stepRow(step: StepState): Step {
  const shows = showsFailure.has(step.status) || (step.status === 'skipped' && step.skipReason === 'failed');
  return {
    index: step.index, step: step.id, kind: step.kind, status: step.waitsFor ? 'waiting' : step.status, persona: step.persona,
    adapter: step.adapter, model: step.model, visit: step.visit, attempt: step.attempt,
    interruptions: step.interruptions, started_at: step.startedAt, finished_at: step.finishedAt, duration_ms: null,
    workspace: step.workspace, reason: step.status === 'skipped' ? step.skipReason : step.waitsFor || step.reason,
    error: shows ? step.failure : null, usage: step.usage, attempts: [],
  };
}

export interface Rows {
  run: Run;
  steps: Step[];
  gates: Gate[];
  artifacts: Artifact[];
}

export function project(state: RunState): Rows {
  const counted = state.steps.filter((step) => !step.reworkOnly);
  return {
    run: {
      ...state.run,
      steps_total: counted.length,
      steps_done: counted.filter((step) => stepTerminal.has(step.status)).length,
    },
    steps: state.steps.map(stepRow),
    gates: state.steps.flatMap((step) => (step.gate ? [step.gate] : [])),
    artifacts: state.steps.flatMap((step) => [...step.artifacts.values()]),
  };
}
