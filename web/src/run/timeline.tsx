// Who worked when: a lane per step, a block per attempt, waiting told apart from work.
import { Link } from '@tanstack/react-router';
import type { Step } from '../api/types';
import { between, duration } from '../ui/format';
import { toneOf } from '../ui/status';
import { useNow } from '../ui/time';
import type { Attempts, AttemptView } from './attempts';

const tones: Record<string, string> = { retrying: 'warn', failed: 'bad', rejected: 'bad', interrupted: 'warn', cancelled: 'idle', skipped: 'idle', completed: 'ok' };

function title(attempt: AttemptView, now: number): string {
  const took = duration(between(attempt.start, attempt.end, now));
  return `${attempt.step}, ${attempt.visit > 1 ? `visit ${attempt.visit}, ` : ''}attempt ${attempt.attempt}: ${attempt.outcome ?? 'running'}, ${took}${attempt.message ? ` – ${attempt.message}` : ''}`;
}

export function Timeline({ steps, attempts, start, end }: { steps: readonly Step[]; attempts: Attempts; start: string; end: string | null; version: number }) {
  const now = useNow(!end);
  const from = Date.parse(start);
  const span = Math.max(1, (end ? Date.parse(end) : Math.max(now, from + 1_000)) - from);
  const x = (time: string | null) => `${Math.max(0, Math.min(100, (100 * ((time ? Date.parse(time) : now) - from)) / span))}%`;
  const width = (a: string, b: string | null) => `${Math.max(0, (100 * ((b ? Date.parse(b) : end ? Date.parse(end) : now) - Date.parse(a))) / span)}%`;
  return (
    <div className="gantt" tabIndex={0} role="region" aria-label="Timeline">
      <div className="axis" aria-hidden="true"><span /><div>{[0, 0.25, 0.5, 0.75, 1].map((part) => <span key={part}>{part === 0 ? '0' : duration(part * span)}</span>)}</div><span style={{ textAlign: 'right' }}>worked</span></div>
      {steps.filter((step) => step.visit > 0 || step.status !== 'pending').map((step) => {
        const lane = attempts.of(step.step);
        const waited = lane.flatMap((attempt) => attempt.waits).reduce((sum, wait) => sum + (between(wait.from, wait.to ?? end, now) ?? 0), 0);
        const total = lane.reduce((sum, attempt) => sum + (between(attempt.start, attempt.end ?? end, now) ?? 0), 0);
        return (
          <div className="lane" key={step.step}>
            <Link to="." search={(old: object) => ({ ...old, tab: undefined, step: step.step })} className="truncate">{step.step}</Link>
            <div className="track">
              {lane.map((attempt) => (
                <Link key={attempt.key} to="." search={(old: object) => ({ ...old, tab: undefined, step: step.step, attempt: `${attempt.visit}.${attempt.attempt}` })}
                  className={`block tone-${attempt.outcome ? tones[attempt.outcome] ?? 'idle' : toneOf(step.status)}`} title={title(attempt, now)} aria-label={title(attempt, now)}
                  style={{ left: x(attempt.start), width: width(attempt.start, attempt.end) }} />
              ))}
              {lane.flatMap((attempt) => attempt.waits.map((wait, i) => (
                <span key={`${attempt.key} ${i}`} className="wait" title={`waits (${wait.why})`} style={{ left: x(wait.from), width: width(wait.from, wait.to) }} />
              )))}
            </div>
            <span className="small quiet tabular" style={{ textAlign: 'right' }} title={waited > 0 ? `and ${duration(waited)} waiting` : undefined}>{duration(Math.max(0, total - waited))}</span>
          </div>
        );
      })}
      <p className="legend small quiet" aria-hidden="true"><span><i className="tone-ok" />worked</span><span><i className="tone-warn" />tried again after it</span><span><i className="tone-bad" />failed</span><span><i className="waits" />waited</span></p>
    </div>
  );
}
