// Events in words.
import type { RunEvent, Step } from '../api/types';
import { duration } from '../ui/format';

const s = (value: unknown): string => (typeof value === 'string' ? value : '');
const n = (value: unknown): number => (typeof value === 'number' ? value : 0);

export function sentence(event: RunEvent): string {
  switch (event.event) {
    case 'run_queued': return event.resuming ? 'Can go on, and wants a slot' : `Accepted${event.actor ? ` from ${event.actor}` : ''}`;
    case 'run_forked': return `Made from ${s(event.origin_run_id)}`;
    case 'run_started': return 'Got its slot';
    case 'run_resumed': return `Goes on (${s(event.reason)})`;
    case 'run_waiting': return event.reason === 'disk' ? `Waiting for the disk: ${s(event.message)}` : `Waits: ${s(event.reason)}; holds no slot`;
    case 'run_wait_ended': return `No longer waiting for the ${s(event.reason)}`;
    case 'run_cancel_requested': return `Cancel asked for${event.by ? ` by ${s(event.by)}` : ''}${event.reason ? `: ${s(event.reason)}` : ''}`;
    case 'run_stop_requested': return `Pause asked for${event.by ? ` by ${s(event.by)}` : ''}`;
    case 'run_completed': return `Completed in ${duration(n(event.duration_ms))}`;
    case 'run_failed': return `Failed: ${s(event.message)}`;
    case 'run_rejected': return `Rejected: ${s(event.message)}`;
    case 'run_cancelled': return `Cancelled${event.by ? ` by ${s(event.by)}` : ''}`;
    case 'step_started': return `Attempt ${event.attempt ?? 1} begins${event.reason === 'first' ? '' : ` (${s(event.reason)})`}`;
    case 'step_completed': return `Done${event.duration_ms ? ` in ${duration(n(event.duration_ms))}` : ''}`;
    case 'step_failed': return `Failed for good: ${s(event.message)}${event.tolerated ? ' (the run goes on)' : ''}`;
    case 'step_rejected': return `Rejected: ${s(event.message)}`;
    case 'step_cancelled': return `Ended, because ${s(event.reason).replaceAll('_', ' ')}`;
    case 'step_skipped': return `Not done: ${s(event.reason)}${event.dependency ? ` (${s(event.dependency)})` : ''}`;
    case 'step_retrying': return `Attempt failed (${s(event.failure_class).replaceAll('_', ' ')}): ${s(event.message)}. Attempt ${n(event.next_attempt)} follows in ${duration(n(event.delay_ms))}`;
    case 'step_reworking': return `${s(event.target)} repairs it, round ${n(event.round)}: ${s(event.message)}`;
    case 'step_interrupted': return `Interrupted: ${s(event.reason)}`;
    case 'step_waiting': return `Waiting for the ${s(event.reason)}: ${s(event.message)}`;
    case 'steps_reset': return `Back to ${s(event.target)}`;
    case 'agent_exited': return event.succeeded ? `Ended well after ${duration(n(event.duration_ms))}` : `Ended badly: ${s(event.message)}`;
    case 'workspace_created': return event.branch ? `Works on branch ${s(event.branch)}` : event.type === 'mount' ? 'Works in a copy of the project' : `Works in ${s(event.path).split('/').at(-1) ?? ''}`;
    case 'artifact_created': return `Made ${s(event.name)}`;
    case 'outputs_collected': return Array.isArray(event.missing) && event.missing.length > 0 ? `Missing: ${event.missing.join(', ')}` : 'Outputs collected';
    case 'contract_passed': return `${s(event.type)} holds${event.message ? `: ${s(event.message)}` : ''}`;
    case 'contract_failed': return `${s(event.type)} does not hold: ${s(event.message)}`;
    case 'checkpoint_created': return 'Checkpoint kept';
    case 'gate_waiting': return event.type === 'timer' ? 'Waits for its time' : `Asks: ${s(event.prompt)}`;
    case 'gate_resolved': return `${s(event.label) || s(event.choice) || s(event.outcome)}${event.by ? `, by ${s(event.by)}` : ''}`;
    case 'timer_set': return `Waits ${duration(n(event.delay_ms))} (${s(event.purpose)})`;
    case 'timer_fired': return 'Its time has come';
    case 'hook_passed': return `Hook ${s(event.name) || s(event.hook_event)} passed`;
    case 'hook_failed': return `Hook ${s(event.name) || s(event.hook_event)} failed: ${s(event.message)}`;
    case 'budget_warning': return `Cost passed $${n(event.warn_at)}`;
    case 'warning_raised': return s(event.message);
    case 'stream_activity': return activityLine(event);
    default: return event.event;
  }
}

export function activityLine(event: RunEvent): string {
  if (event.kind === 'tool_use') return `${s(event.tool_name)} ${s(event.tool_target)}`.trim();
  return s(event.content).replace(/\s+/g, ' ').slice(0, 300);
}

/** What to do next, by the class of the failure. */
export function advice(failureClass: string | null, code: string | null): string {
  switch (failureClass ?? code) {
    case 'contract_failure': return 'Read the findings below: either the work or the contract is wrong. Retry starts again at this step, and the agent is told what was found.';
    case 'test_failure': return 'The project’s own tests failed on this work. Their output is under “Output”.';
    case 'timeout': return 'The step took longer than it may. Retry it with a longer timeout, or split it.';
    case 'stalled': return 'The agent said nothing for too long. Its last words are under “Activity”.';
    case 'rate_limit': return 'The service asked for patience. Retry later.';
    case 'budget_exhausted': return 'The run’s budget is spent. Raise runtime.cost.budget_ceiling, then resume.';
    case 'context_exhausted': return 'The agent’s context was full. Give it less at once, or split the step.';
    case 'missing_output': return 'A required artifact was not made. The step’s prompt should name its path.';
    case 'deterministic': return 'Trying the same again will fail the same way: look at the message, mend it, then retry.';
    case 'gate': case 'gate_timeout': return 'A gate’s decision, or its deadline, ended the run.';
    default: return 'Retry goes on from the step that failed, and keeps what was done before it.';
  }
}

export function nowLine(step: Step, last: RunEvent | undefined): string {
  if (step.status === 'running' && last) return sentence(last);
  if (step.error) return step.error.message;
  if (step.status === 'waiting') return step.reason === 'disk' ? 'waits for the disk' : 'waits';
  if (step.status === 'skipped') return step.reason ?? 'skipped';
  return [step.persona, step.attempt > 1 ? `attempt ${step.attempt}` : '', step.visit > 1 ? `visit ${step.visit}` : ''].filter(Boolean).join(' · ') || (step.kind ?? '');
}
