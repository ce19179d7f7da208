// What happened in each attempt of each step, in order: for the timeline and the step panel.
import type { RunEvent, Usage } from '../api/types';
import { noUsage } from '../api/types';
import { addUsage } from './fold';

export interface ContractResult {
  seq: number;
  index: number;
  type: string;
  passed: boolean;
  message: string;
  errors: string[];
  notes: string[];
  round: number;
}

export interface AttemptView {
  key: string;
  step: string;
  visit: number;
  attempt: number;
  reason: string;
  adapter: string | null;
  model: string | null;
  startSeq: number;
  start: string;
  end: string | null;
  /** How it ended: completed, failed, retrying, reworking, rejected, cancelled, skipped, interrupted. */
  outcome: string | null;
  message: string | null;
  hint: string | null;
  failureClass: string | null;
  outputTail: string | null;
  launch: string | null;
  contracts: ContractResult[];
  waits: { from: string; to: string | null; why: string }[];
  usage: Usage;
  exitCode: number | null;
  outBytes: number | null;
  errBytes: number | null;
  events: RunEvent[];
}

const string = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

export class Attempts {
  readonly all: AttemptView[] = [];
  private readonly current = new Map<string, AttemptView>();

  of(step: string): AttemptView[] {
    return this.all.filter((attempt) => attempt.step === step);
  }

  latest(step: string): AttemptView | undefined {
    return this.current.get(step);
  }

  add(event: RunEvent): void {
    if (!event.step) {
      if (event.event.startsWith('run_') && ['completed', 'failed', 'cancelled', 'rejected'].includes(event.event.slice(4))) {
        for (const attempt of this.current.values()) attempt.end ??= event.ts;
      }
      return;
    }
    let attempt = this.current.get(event.step);
    if (event.event === 'step_started' && !this.goesOn(attempt, event)) {
      attempt = this.begin(event);
    }
    // A step that was skipped, or taken over, never began.
    if (!attempt) return;
    attempt.events.push(event);
    this.note(attempt, event);
    if (event.event === 'steps_reset') this.sendBack([attempt.step, ...strings(event.steps)], event.ts);
  }

  /** A gate's decision ends what is open of the steps that run again. */
  private sendBack(steps: readonly string[], ts: string): void {
    for (const step of steps) {
      const attempt = this.current.get(step);
      if (!attempt || attempt.end !== null) continue;
      attempt.end = ts;
      attempt.outcome = 'sent_back';
    }
  }

  private goesOn(attempt: AttemptView | undefined, event: RunEvent): boolean {
    return attempt !== undefined && attempt.end === null && attempt.visit === event.visit &&
      attempt.attempt === event.attempt;
  }

  private begin(event: RunEvent): AttemptView {
    const attempt: AttemptView = {
      key: `${event.step}.${event.visit}.${event.attempt}.${event.seq}`, step: event.step!, visit: event.visit ?? 1,
      attempt: event.attempt ?? 1, reason: string(event.reason) ?? 'first', adapter: string(event.adapter),
      model: string(event.model), startSeq: event.seq, start: event.ts, end: null, outcome: null, message: null,
      hint: null, failureClass: null, outputTail: null, launch: null, contracts: [], waits: [], usage: noUsage,
      exitCode: null, outBytes: null, errBytes: null, events: [],
    };
    this.all.push(attempt);
    this.current.set(attempt.step, attempt);
    return attempt;
  }

  private note(attempt: AttemptView, event: RunEvent): void {
    const end = (outcome: string) => {
      attempt.end = event.ts;
      attempt.outcome = outcome;
      attempt.message = string(event.message) ?? attempt.message;
      attempt.failureClass = string(event.failure_class) ?? attempt.failureClass;
      for (const wait of attempt.waits) wait.to ??= event.ts;
    };
    switch (event.event) {
      case 'stream_activity':
        attempt.launch ??= string(event.launch);
        return;
      case 'agent_exited':
        attempt.usage = addUsage(attempt.usage, event.usage);
        attempt.model = string(event.model) ?? attempt.model;
        attempt.exitCode = typeof event.exit_code === 'number' ? event.exit_code : null;
        attempt.outBytes = typeof event.out_bytes === 'number' ? event.out_bytes : null;
        attempt.errBytes = typeof event.err_bytes === 'number' ? event.err_bytes : null;
        attempt.outputTail = string(event.output_tail) ?? attempt.outputTail;
        attempt.hint = string(event.hint) ?? attempt.hint;
        if (event.succeeded === false) {
          attempt.message = string(event.message);
          attempt.failureClass = string(event.failure_class);
        }
        return;
      case 'contract_passed':
      case 'contract_failed':
        attempt.usage = addUsage(attempt.usage, event.usage);
        attempt.contracts.push({
          seq: event.seq, index: Number(event.index ?? 0), type: string(event.type) ?? '',
          passed: event.event === 'contract_passed', message: string(event.message) ?? '',
          errors: strings(event.errors), notes: strings(event.notes), round: Number(event.round ?? 0),
        });
        return;
      case 'gate_waiting':
        attempt.waits.push({ from: event.ts, to: null, why: event.type === 'timer' ? 'timer' : 'gate' });
        return;
      case 'gate_resolved':
        for (const wait of attempt.waits) wait.to ??= event.ts;
        return;
      case 'step_completed':
        attempt.message = null;
        return end('completed');
      case 'step_failed':
        return end('failed');
      case 'step_rejected':
        return end('rejected');
      case 'step_cancelled':
        return end('cancelled');
      case 'step_skipped':
        return end('skipped');
      case 'step_retrying':
        return end('retrying');
      case 'step_interrupted':
        return end('interrupted');
      case 'step_reworking':
        attempt.waits.push({ from: event.ts, to: null, why: 'rework' });
        return;
      case 'timer_fired':
        for (const wait of attempt.waits) wait.to ??= event.ts;
        return;
      default:
    }
  }
}
