// One run: how it stands, what happens in it, what it made, and what can be done about it.
import './run.css';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { memo, Suspense, useEffect, useMemo, useState, type ReactNode } from 'react';
import { cancelRun, resumeRun, retryRun } from '../api/queries';
import { stepTerminal, terminal, type Run, type RunEvent, type Step } from '../api/types';
import { useRun } from '../live/hooks';
import type { AttemptView } from '../run/attempts';
import { Activity, conversationOf } from '../run/activity';
import type { Rows } from '../run/fold';
import { runStore, type RunView } from '../run/run_store';
import { advice, nowLine } from '../run/words';
import { Dialog } from '../ui/dialog';
import { bytes, count, duration, money, shortId } from '../ui/format';
import { GateDecision, GateForm } from '../ui/gate_card';
import { Icon } from '../ui/icons';
import { useKeys } from '../ui/keys';
import { Bones, Trouble } from '../ui/states';
import { Glyph, Status, toneOf, wordOf } from '../ui/status';
import { Ago, Lasted } from '../ui/time';
import { useTitle } from '../ui/title';
import { toast, toastError } from '../ui/toasts';
import { lazily } from '../ui/lazily';

const GraphView = lazily(() => import('../run/graph'));
const Output = lazily(() => import('../run/output').then((module) => ({ default: module.Output })));
const Timeline = lazily(() => import('../run/timeline').then((module) => ({ default: module.Timeline })));
const Events = lazily(() => import('../run/events').then((module) => ({ default: module.Events })));
const Artifacts = lazily(() => import('../run/artifacts').then((module) => ({ default: module.Artifacts })));
const Files = lazily(() => import('../run/files').then((module) => ({ default: module.Files })));
const Cost = lazily(() => import('../run/cost').then((module) => ({ default: module.Cost })));
const RunRetro = lazily(() => import('../run/run_retro').then((module) => ({ default: module.RunRetro })));

// --- actions: each says what it will do before it does it ---

type Action = 'cancel' | 'force' | 'retry' | 'resume';

function ActionDialog({ action, run, step, onClose }: { action: Action; run: Run; step: string | undefined; onClose: () => void }) {
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const over = terminal.has(run.status);
  const stops = action === 'cancel' || action === 'force';
  const texts: Record<Action, { title: string; what: ReactNode; button: string }> = {
    cancel: {
      title: 'Cancel this run?', button: 'Cancel the run',
      what: run.status === 'queued' ? 'It has not started: it is cancelled at once, and leaves the queue.'
        : 'Its agents get SIGTERM, and what is left after the grace period SIGKILL. What was spent stays counted; what was made stays.',
    },
    force: { title: 'End it at once?', button: 'Kill it', what: 'Every process of it gets SIGKILL now, without the grace period. Agents cannot save anything.' },
    retry: {
      title: 'Try again?', button: 'Try again',
      what: <>A new run is made, linked to this one. Steps that were done are taken over with what they made; it begins at <strong>{run.failed_step ?? 'the first step that was not done'}</strong>. This run stays as it is.</>,
    },
    resume: {
      title: step ? `Resume from ${step}?` : 'Go on?', button: over ? 'Start the new run' : 'Go on',
      what: over ? <>A new run is made, linked to this one. What stands before <strong>{step}</strong> is taken over; {step} and everything after it run again. This run stays as it is.</>
        : 'The run goes on where it was, as soon as there is a slot.',
    },
  };
  const act = useMutation({
    mutationFn: (): Promise<{ run_id?: string }> => action === 'retry' ? retryRun(run.run_id)
      : action === 'resume' ? resumeRun(run.run_id, over ? step : undefined)
        : cancelRun(run.run_id, action === 'force', reason) as Promise<{ run_id?: string }>,
    onMutate: () => {
      if (!stops) return;
      // Shown at once; the stream confirms it, a refusal takes it back.
      runStore(run.run_id).intendCancel(reason, action === 'force');
      onClose();
    },
    onSuccess: (answer) => {
      onClose();
      if (action === 'cancel' || action === 'force') return toast('ok', 'The run is being cancelled');
      toast('ok', 'It goes on');
      if (answer.run_id && answer.run_id !== run.run_id) void navigate({ to: '/runs/$runId', params: { runId: answer.run_id }, search: {} });
    },
    onError: (error) => {
      onClose();
      if (stops) runStore(run.run_id).takeBack();
      toastError(`${texts[action].button}: not done`, error);
    },
  });
  return (
    <Dialog open onClose={onClose} title={texts[action].title} description={texts[action].what}>
      {stops && (
        <div className="field" style={{ marginTop: 'var(--s4)' }}>
          <label htmlFor="reason">Why <span className="quiet">(optional; it is kept with the run)</span></label>
          <input id="reason" className="input" value={reason} maxLength={400} onChange={(event) => setReason(event.target.value)} />
        </div>
      )}
      <div className="actions">
        <button className="button" onClick={onClose}>{stops ? 'Let it run' : 'Not now'}</button>
        <button className={`button ${stops ? 'danger' : 'primary'}`} disabled={act.isPending} onClick={() => act.mutate()}>{texts[action].button}</button>
      </div>
    </Dialog>
  );
}

// --- the head ---

function Head({ run, view, act }: { run: Run; view: RunView; act: (action: Action) => void }) {
  const over = terminal.has(run.status);
  const cancelling = !over && view.cancelling !== null;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is">
        <Link to="/">Runs</Link><span aria-hidden="true">/</span>
        <Link to="/pipelines/$name" params={{ name: run.pipeline }}>{run.pipeline}</Link><span aria-hidden="true">/</span>
        <span className="mono" title={run.run_id}>{shortId(run.run_id)}</span>
        <button className="button plain small icon" aria-label="Copy the run’s id" onClick={() => void navigator.clipboard?.writeText(run.run_id).then(() => toast('ok', 'Copied', run.run_id))}><Icon name="copy" size={14} /></button>
        {run.origin_run_id && <span className="chip"><Icon name="branch" size={12} />from <Link to="/runs/$runId" params={{ runId: run.origin_run_id }}>{shortId(run.origin_run_id)}</Link></span>}
      </nav>
      <header className="page-head" style={{ marginBottom: 'var(--s4)' }}>
        <div className="titles">
          <div className="run-title">
            <h1>{run.input && run.input.length <= 140 ? run.input : run.input ? `${run.input.slice(0, 140)} …` : run.pipeline}</h1>
            <Status status={cancelling ? 'cancelling' : run.status} pill word={cancelling ? undefined : run.status === 'waiting' && run.waiting_reason === 'gate' ? 'Waits for a person' : run.status === 'waiting' && run.waiting_reason === 'disk' ? 'Waiting for the disk' : run.queue_position ? `Queued, place ${run.queue_position}` : undefined} />
          </div>
          <div className="run-facts">
            <span><Icon name="clock" size={15} /><Lasted from={run.started_at} to={run.finished_at} /></span>
            <span><Icon name="list" size={15} />{run.steps_done} of {run.steps_total} steps</span>
            <span title={`in ${count(run.usage.tokens_in)}, out ${count(run.usage.tokens_out)}, cache read ${count(run.usage.tokens_cache_read)}`}><Icon name="money" size={15} />{money(run.usage.cost_usd)} · {count(run.usage.tokens_in + run.usage.tokens_out)} tokens</span>
            {run.actor && <span><Icon name="persona" size={15} />{run.actor}</span>}
            <span><Ago time={run.queued_at} /></span>
            {Object.entries(run.tags).map(([key, value]) => <span key={key} className="chip">{key}: {value}</span>)}
          </div>
        </div>
        <div className="row wrap">
          {!over && run.status === 'waiting' && run.waiting_reason === 'stopped' && <button className="button primary" onClick={() => act('resume')}>Go on</button>}
          {over && run.status !== 'completed' && run.status !== 'completed_empty' && <button className={`button ${run.status === 'cancelled' ? 'primary' : ''}`} onClick={() => act('retry')}><Icon name="retry" size={15} />Retry</button>}
          <Link to="/new" search={{ pipeline: run.pipeline, from: run.run_id }} className="button"><Icon name="plus" size={15} />Run again …</Link>
          {!over && !cancelling && <button className="button danger" onClick={() => act('cancel')}><Icon name="stop" size={15} />Cancel</button>}
          {cancelling && <button className="button danger" onClick={() => act('force')}><Icon name="stop" size={15} />End at once</button>}
        </div>
      </header>
    </>
  );
}

function FailureCallout({ run, rows, view, act }: { run: Run; rows: Rows; view: RunView; act: (action: Action) => void }) {
  if (run.status !== 'failed' && run.status !== 'rejected') return null;
  const attempt = run.failed_step ? view.attempts.of(run.failed_step).at(-1) : undefined;
  const step = rows.steps.find((one) => one.step === run.failed_step);
  const findings = attempt?.contracts.filter((one) => !one.passed).at(-1);
  const message = run.error?.message ?? step?.error?.message ?? 'It failed.';
  return (
    <section className="note bad callout" aria-label="Why it failed">
      <p><strong>{run.failed_step ? <>Failed at <Link to="." search={(old: object) => ({ ...old, tab: undefined, step: run.failed_step ?? undefined })}>{run.failed_step}</Link></> : 'Failed'}</strong>{attempt?.failureClass && <span className="quiet"> · {attempt.failureClass.replaceAll('_', ' ')}</span>}</p>
      <pre className="mono">{message}</pre>
      {findings && findings.errors.length > 0 && <ul style={{ listStyle: 'disc', paddingLeft: '1.3em' }} className="small">{findings.errors.slice(0, 6).map((one, i) => <li key={i}>{one}</li>)}</ul>}
      <p className="small">{attempt?.hint ?? advice(attempt?.failureClass ?? null, run.error?.code ?? null)}</p>
      <div className="row wrap">
        <button className="button small primary" onClick={() => act('retry')}><Icon name="retry" size={14} />Retry from {run.failed_step ?? 'there'}</button>
        {run.failed_step && <Link to="." search={(old: object) => ({ ...old, tab: undefined, step: run.failed_step ?? undefined, view: 'output' })} className="button small">Its output</Link>}
      </div>
    </section>
  );
}

// --- the steps ---

const StepItem = memo(function StepItem({ step, selected, last }: { step: Step; selected: boolean; last: RunEvent | undefined }) {
  return (
    <Link to="." search={(old: object) => ({ ...old, tab: undefined, step: step.step, attempt: undefined, seq: undefined, line: undefined })} resetScroll={false} aria-current={selected ? 'true' : undefined} data-here={selected || undefined}>
      <Glyph status={step.status} />
      <span style={{ minWidth: 0 }}>
        <span className="name truncate" style={{ display: 'block' }}>{step.step}<span className="sr-only">, {wordOf(step.status)}</span></span>
        <span className="now truncate" style={{ display: 'block' }}>{nowLine(step, last)}</span>
      </span>
      <span className="small quiet">{step.started_at ? <Lasted from={step.started_at} to={step.finished_at ?? (stepTerminal.has(step.status) ? step.started_at : null)} /> : ''}</span>
    </Link>
  );
});

function Contracts({ attempt }: { attempt: AttemptView | undefined }) {
  if (!attempt || attempt.contracts.length === 0) return <p className="quiet">No contract was checked in this attempt.</p>;
  return (
    <div className="stack tight">
      {attempt.contracts.map((one) => (
        <div key={one.seq} className={`contract tone-${one.passed ? 'ok' : 'bad'}`}>
          <div className="row spread"><Status status={one.passed ? 'completed' : 'failed'} word={`${one.type} ${one.passed ? 'holds' : 'does not hold'}`} />{one.round > 0 && <span className="chip">round {one.round}</span>}</div>
          {one.message && <p className="small" style={{ marginTop: 'var(--s1)', overflowWrap: 'anywhere' }}>{one.message}</p>}
          {[...one.errors, ...one.notes].length > 0 && <ul>{[...one.errors, ...one.notes].map((text, i) => <li key={i}>{text}</li>)}</ul>}
        </div>
      ))}
    </div>
  );
}

function StepFacts({ step, attempt, run, act }: { step: Step; attempt: AttemptView | undefined; run: Run; act: (action: Action) => void }) {
  return (
    <div className="stack">
      <dl className="facts">
        <dt>Status</dt><dd><Status status={step.status} /></dd>
        {step.persona && <><dt>Persona</dt><dd><Link to="/personas/$name" params={{ name: step.persona }}>{step.persona}</Link></dd></>}
        {step.adapter && <><dt>Adapter</dt><dd>{step.adapter}{step.model && step.model !== step.adapter && ` · ${step.model}`}</dd></>}
        {step.workspace && <><dt>Workspace</dt><dd><code>{step.workspace}</code></dd></>}
        {attempt && <><dt>Attempt</dt><dd>{attempt.attempt} ({attempt.reason}) · {(attempt.outcome ?? 'running').replaceAll('_', ' ')}{attempt.exitCode !== null && ` · exit ${attempt.exitCode}`}</dd></>}
        {attempt?.outBytes != null && <><dt>Printed</dt><dd>{bytes(attempt.outBytes)}</dd></>}
        <dt>Cost</dt><dd>{money(step.usage.cost_usd)} · {count(step.usage.tokens_in)} in, {count(step.usage.tokens_out)} out</dd>
        {step.interruptions > 0 && <><dt>Interrupted</dt><dd>{step.interruptions} times</dd></>}
        {attempt?.message && <><dt>Message</dt><dd>{attempt.message}</dd></>}
      </dl>
      {attempt?.outputTail && <pre className="code wrap" style={{ maxHeight: 240 }} tabIndex={0}>{attempt.outputTail}</pre>}
      {terminal.has(run.status) && step.visit > 0 && <div><button className="button small" onClick={() => act('resume')}><Icon name="retry" size={14} />Run again from here …</button></div>}
    </div>
  );
}

const views = [['activity', 'Activity'], ['output', 'Output'], ['contracts', 'Contracts'], ['details', 'Details']] as const;

function StepPanel({ step, view, rows, run, act }: { step: Step; view: RunView; rows: Rows; run: Run; act: (action: Action) => void }) {
  const search = useSearch({ from: '/app/runs/$runId' });
  const navigate = useNavigate({ from: '/runs/$runId' });
  const all = view.attempts.of(step.step);
  const attempt = all.find((one) => `${one.visit}.${one.attempt}` === search.attempt) ?? all.at(-1);
  if (attempt) conversationOf(attempt);
  const gate = rows.gates.filter((one) => one.step === step.step).at(-1);
  const shown = search.view ?? (step.kind === 'command' ? 'output' : 'activity');
  const running = attempt !== undefined && attempt.end === null && !terminal.has(run.status);
  const open = (next: string) => void navigate({ search: (old) => ({ ...old, view: next }), replace: true, resetScroll: false });
  useKeys(Object.fromEntries(views.map(([key], i) => [String(i + 1), () => open(key)])));
  return (
    <section className="card panel" aria-label={`Step ${step.step}`}>
      <header>
        <div className="grow">
          <h2 className="row"><Glyph status={step.status} />{step.step}</h2>
          <p className="meta">{wordOf(step.status)}{step.persona && <span>{step.persona}</span>}{step.started_at && <span><Lasted from={step.started_at} to={step.finished_at} /></span>}{step.usage.cost_usd > 0 && <span>{money(step.usage.cost_usd)}</span>}</p>
        </div>
        {all.length > 1 && (
          <select className="select" aria-label="Attempt" value={attempt ? `${attempt.visit}.${attempt.attempt}` : ''} onChange={(event) => void navigate({ search: (old) => ({ ...old, attempt: event.target.value }), replace: true, resetScroll: false })}>
            {all.map((one) => <option key={one.key} value={`${one.visit}.${one.attempt}`}>{all.some((other) => other.visit > 1) ? `Visit ${one.visit}, attempt ${one.attempt}` : `Attempt ${one.attempt}`} · {(one.outcome ?? 'running').replaceAll('_', ' ')}</option>)}
          </select>
        )}
      </header>
      {gate && (
        <div className={`note ${gate.resolved ? '' : 'warn'}`} style={{ margin: 'var(--s3) var(--s4)' }} id="gate">
          <p style={{ fontWeight: 560, whiteSpace: 'pre-line', marginBottom: 'var(--s2)' }}>{gate.prompt || (gate.type === 'timer' ? 'Waits for its time.' : 'Shall it go on?')}</p>
          {gate.resolved ? <GateDecision gate={gate} /> : gate.type === 'timer' ? <p className="small">It goes on by itself <Ago time={gate.deadline} />.</p> : <GateForm gate={gate} />}
        </div>
      )}
      <div className="tabs" role="tablist" aria-label="About the step">
        {views.map(([key, label]) => (
          <button key={key} role="tab" id={`tab-${key}`} aria-selected={shown === key} aria-controls="step-view" data-state={shown === key ? 'active' : ''} onClick={() => open(key)}>
            {label}{key === 'contracts' && attempt && attempt.contracts.length > 0 && <span className="n">{attempt.contracts.length}</span>}
          </button>
        ))}
      </div>
      <div id="step-view" role="tabpanel" aria-labelledby={`tab-${shown}`} className={`body ${shown === 'activity' || shown === 'output' ? 'flush' : ''}`}>
        <Suspense fallback={<Bones rows={8} />}>
          {!attempt && !view.complete ? <Bones rows={8} label="Loading what happened" />
            : shown === 'details' ? <StepFacts step={step} attempt={attempt} run={run} act={act} />
              : shown === 'contracts' ? <Contracts attempt={attempt} />
                : !attempt ? <p className="quiet" style={{ padding: 'var(--s4)' }}>{step.status === 'skipped' ? `Not done: ${step.reason ?? 'skipped'}.` : step.reason === 'forked' ? 'Taken over from the run that this one was made from.' : terminal.has(run.status) ? 'It never began.' : 'It has not begun.'}</p>
                  : shown === 'output' ? <Output key={attempt.key} runId={run.run_id} attempt={attempt} version={running ? attempt.events.length : 0} running={running} line={search.line ? Number(search.line) : null} />
                    : <Activity key={attempt.key} attempt={attempt} version={view.version} running={running} seq={search.seq ? Number(search.seq) : null} />}
        </Suspense>
      </div>
    </section>
  );
}

// --- all of it ---

const tabs = [
  ['steps', 'Steps'], ['timeline', 'Timeline'], ['artifacts', 'Artifacts'], ['files', 'Changed files'], ['cost', 'Cost'], ['events', 'Events'], ['retro', 'Retrospective'],
] as const;

/** What a person wants to see first: what failed, what waits, what runs, else the last that was done. */
function interesting(run: Run, rows: Rows): string | undefined {
  const by = (...statuses: string[]) => rows.steps.find((step) => statuses.includes(step.status))?.step;
  return (terminal.has(run.status) ? run.failed_step ?? undefined : undefined)
    ?? rows.gates.find((gate) => !gate.resolved && gate.type !== 'timer')?.step
    ?? by('running', 'retrying', 'reworking', 'interrupted') ?? by('waiting')
    ?? rows.steps.filter((step) => step.visit > 0 && !['pending', 'skipped'].includes(step.status)).sort((a, b) => (a.started_at ?? '').localeCompare(b.started_at ?? '')).at(-1)?.step
    ?? rows.steps[0]?.step;
}

function RunPage({ runId }: { runId: string }) {
  const search = useSearch({ from: '/app/runs/$runId' });
  const navigate = useNavigate({ from: '/runs/$runId' });
  const view = useRun(runId);
  const [action, setAction] = useState<Action | null>(null);
  const { rows, detail } = view;
  const run = rows?.run;
  useTitle(run ? `${wordOf(run.status)}: ${run.input || run.pipeline}`.slice(0, 80) : 'Run', run ? toneOf(run.status) : '');
  const selected = search.step ?? (run && rows ? interesting(run, rows) : undefined);
  const order = rows?.steps.map((step) => step.step) ?? [];
  const move = (by: number) => {
    const at = Math.max(0, order.indexOf(selected ?? ''));
    const next = order[Math.max(0, Math.min(order.length - 1, at + by))];
    void navigate({ search: (old) => ({ ...old, tab: undefined, step: next, attempt: undefined }), replace: true, resetScroll: false });
  };
  useKeys({
    j: () => move(1), k: () => move(-1),
    y: () => {
      const gate = rows?.gates.find((one) => !one.resolved);
      if (!gate) return;
      void navigate({ search: (old) => ({ ...old, tab: undefined, step: gate.step }), replace: true }).then(() => document.querySelector<HTMLButtonElement>('#gate button')?.focus());
    },
  });
  const last = useMemo(() => {
    const map = new Map<string, RunEvent>();
    for (const step of order) {
      const events = view.attempts.latest(step)?.events;
      const event = events?.findLast?.((one) => one.event === 'stream_activity' || one.event.startsWith('contract')) ?? events?.at(-1);
      if (event) map.set(step, event);
    }
    return map;
  }, [view.version]);
  useEffect(() => {
    if (view.error && !rows) document.title = 'Not found · wave';
  }, [view.error, rows]);

  if (view.error && !rows) return <Trouble page error={view.error} retry={() => runStore(runId).reload()} />;
  if (!rows || !run || !detail) return <><Bones rows={2} height={26} label="Loading the run" /><div className="run-body"><div className="card"><Bones rows={6} /></div><div className="card"><Bones rows={10} /></div></div></>;
  const step = rows.steps.find((one) => one.step === selected) ?? rows.steps[0];
  const tab = search.tab ?? 'steps';
  const numbers: Record<string, number> = { artifacts: rows.artifacts.length, events: run.last_seq };
  return (
    <>
      <Head run={run} view={view} act={setAction} />
      <FailureCallout run={run} rows={rows} view={view} act={setAction} />
      <div className="tabs" role="tablist" aria-label="About the run">
        {tabs.map(([key, label]) => (
          <button key={key} role="tab" id={`run-tab-${key}`} aria-selected={tab === key} aria-controls="run-view" data-state={tab === key ? 'active' : ''}
            onClick={() => void navigate({ search: (old) => ({ ...old, tab: key === 'steps' ? undefined : key }), replace: true, resetScroll: false })}>
            {label}{numbers[key] ? <span className="n">{count(numbers[key])}</span> : null}
          </button>
        ))}
      </div>
      <div id="run-view" role="tabpanel" aria-labelledby={`run-tab-${tab}`}>
        {tab === 'steps' ? (
          <div className="run-body">
            <div className="run-left">
              <div className="card graph">
                <Suspense fallback={<Bones rows={6} label="Loading the graph" />}>
                  <GraphView graph={detail.graph} steps={rows.steps} selected={step?.step} label={`Graph of ${run.pipeline}`}
                    onSelect={(next) => void navigate({ search: (old) => ({ ...old, step: next, attempt: undefined, seq: undefined, line: undefined }), replace: true, resetScroll: false })} />
                </Suspense>
              </div>
              <nav className="card step-list" aria-label="Steps">
                {rows.steps.map((one) => <StepItem key={one.step} step={one} selected={one.step === step?.step} last={last.get(one.step)} />)}
              </nav>
              {detail.children.length > 0 && (
                <nav className="card pad stack tight" aria-label="Runs made from this one">
                  <h3>Made from this run</h3>
                  {detail.children.map((child) => <Link key={child.run_id} to="/runs/$runId" params={{ runId: child.run_id }} className="row"><Glyph status={child.status} size={14} /><span className="mono">{shortId(child.run_id)}</span><span className="quiet small"><Ago time={child.queued_at} /></span></Link>)}
                </nav>
              )}
            </div>
            {step && <StepPanel step={step} view={view} rows={rows} run={run} act={setAction} />}
          </div>
        ) : (
          <div className="card" style={{ marginTop: 'var(--s4)' }}>
            <Suspense fallback={<Bones rows={8} />}>
              {tab === 'timeline' && (run.started_at ? <Timeline steps={rows.steps} attempts={view.attempts} start={run.started_at} end={run.finished_at} version={view.version} /> : <p className="quiet" style={{ padding: 'var(--s4)' }}>It has not started.</p>)}
              {tab === 'artifacts' && <Artifacts runId={runId} artifacts={rows.artifacts} selected={search.artifact} />}
              {tab === 'files' && <Files runId={runId} selected={search.file} />}
              {tab === 'cost' && <Cost rows={rows} detail={detail} />}
              {tab === 'events' && <Events events={view.events} version={view.version} seq={search.seq ? Number(search.seq) : null} runId={runId} />}
              {tab === 'retro' && <RunRetro runId={runId} over={terminal.has(run.status)} />}
            </Suspense>
          </div>
        )}
      </div>
      {action && <ActionDialog action={action} run={run} step={step?.step} onClose={() => setAction(null)} />}
      <span className="sr-only" role="status">{`${wordOf(run.status)}, ${run.steps_done} of ${run.steps_total} steps${run.finished_at && run.started_at ? `, ${duration(Date.parse(run.finished_at) - Date.parse(run.started_at))}` : ''}`}</span>
    </>
  );
}

export default function RunScreen() {
  const { runId } = useParams({ from: '/app/runs/$runId' });
  return <RunPage key={runId} runId={runId} />;
}
