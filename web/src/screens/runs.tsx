// Where a team lives: what waits for somebody, what runs, what ran.
import './runs.css';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { memo, Suspense, useDeferredValue, useEffect, useRef, useState } from 'react';
import { cancelRun, gatesQuery, pipelinesQuery, queueQuery, runsQuery } from '../api/queries';
import { terminal, type Queue, type QueueEntry, type Run } from '../api/types';
import { Dialog } from '../ui/dialog';
import { count, money, shortId } from '../ui/format';
import { GateCard } from '../ui/gate_card';
import { Icon } from '../ui/icons';
import { useKeys } from '../ui/keys';
import { Bones, Empty, PageHead, Trouble } from '../ui/states';
import { Glyph, toneOf, wordOf } from '../ui/status';
import { Ago, Lasted } from '../ui/time';
import { useTitle } from '../ui/title';
import { toast, toastError } from '../ui/toasts';
import { lazily } from '../ui/lazily';

const states: { label: string; value: string[] | undefined }[] = [
  { label: 'All', value: undefined },
  { label: 'Active', value: ['queued', 'running', 'waiting'] },
  { label: 'Completed', value: ['completed', 'completed_empty'] },
  { label: 'Failed', value: ['failed', 'rejected'] },
  { label: 'Cancelled', value: ['cancelled'] },
];
const same = (left: string[] | undefined, right: string[] | undefined) => (left ?? []).join() === (right ?? []).join();

function describe(run: Run): string {
  if (run.status === 'queued') return run.queue_position ? `Queued, place ${run.queue_position}` : run.resuming ? 'Queued, goes on' : 'Queued';
  if (run.status === 'waiting') return { gate: 'Waits for a person', disk: 'Waiting for the disk', timer: 'Waits for its time', rate_limit: 'Waits for the service’s limit', stopped: 'Paused', shutdown: 'Goes on by itself' }[run.waiting_reason ?? ''] ?? 'Waiting';
  if (run.status === 'failed' && run.failed_step) return `Failed at ${run.failed_step}`;
  return wordOf(run.status);
}

const RunRow = memo(function RunRow({ run, selected, ending, onSelect }: { run: Run; selected: boolean; ending: boolean; onSelect: (id: string, on: boolean) => void }) {
  return (
    <li className={`run-row tone-${toneOf(ending ? 'cancelling' : run.status)}`} data-run={run.run_id}>
      <span className="check">
        <Glyph status={ending ? 'cancelling' : run.status} size={18} />
        <input type="checkbox" aria-label={`Select ${run.run_id}`} checked={selected} onChange={(event) => onSelect(run.run_id, event.target.checked)} />
      </span>
      <div style={{ minWidth: 0 }}>
        <Link to="/runs/$runId" params={{ runId: run.run_id }} className="title truncate">{run.input || run.pipeline}</Link>
        <div className="sub">
          <span className="nowrap">{run.pipeline}</span>
          <span aria-hidden="true">·</span>
          <span className="mono nowrap">{shortId(run.run_id)}</span>
          {run.actor && <><span aria-hidden="true">·</span><span className="truncate">{run.actor}</span></>}
          {run.origin_run_id && <span className="chip"><Icon name="branch" size={12} />again</span>}
          {Object.entries(run.tags).slice(0, 2).map(([key, value]) => <span key={key} className="chip">{key}: {value}</span>)}
        </div>
      </div>
      <div className="progress">
        <span className="truncate" style={{ color: 'var(--tone)', fontWeight: 560 }}>{ending ? wordOf('cancelling') : describe(run)}</span>
        <span className="bar" role="img" aria-label={`${run.steps_done} of ${run.steps_total} steps`} title={`${run.steps_done} of ${run.steps_total} steps`}>
          <span style={{ width: `${run.steps_total ? (100 * run.steps_done) / run.steps_total : 0}%` }} />
        </span>
      </div>
      <span className="num"><Lasted from={run.started_at} to={run.finished_at} /></span>
      <span className="num cost" title={`${count(run.usage.tokens_in + run.usage.tokens_out)} tokens`}>{money(run.usage.cost_usd)}</span>
      <span className="num age"><Ago time={run.queued_at} /></span>
    </li>
  );
});

function QueueItem({ entry }: { entry: QueueEntry }) {
  return (
    <li>
      {entry.position ? <span className="quiet tabular">{entry.position}</span> : <Glyph status={entry.status} size={14} />}
      <Link to="/runs/$runId" params={{ runId: entry.run_id }} className="truncate">{entry.pipeline} <span className="quiet mono">{shortId(entry.run_id)}</span></Link>
      <span className="quiet small"><Ago time={entry.since} /></span>
      <span className="why">{entry.why}</span>
    </li>
  );
}

function QueueCard({ queue }: { queue: Queue }) {
  const groups = [
    { title: 'Hold a slot', items: queue.running }, { title: 'Wait for a slot', items: queue.waiting },
    { title: 'Wait for something else', items: queue.parked }, { title: 'Driven by a command line', items: queue.elsewhere },
  ].filter((group) => group.items.length > 0);
  return (
    <aside className="card" aria-label="Queue">
      <header>
        <h2>Queue</h2>
        <span className="small quiet tabular">{queue.running.length} of {queue.max_concurrent} slots</span>
      </header>
      <div className="slots" aria-hidden="true">
        {Array.from({ length: Math.min(queue.max_concurrent, 40) }, (_, i) => <i key={i} className={i < queue.running.length ? 'held' : ''} />)}
      </div>
      {queue.draining && <p className="note warn small" style={{ margin: 'var(--s3) var(--s4) 0' }}>Draining: nothing new starts.</p>}
      {groups.length === 0 && <p className="quiet small" style={{ padding: 'var(--s3) var(--s4) var(--s4)' }}>Nothing runs and nothing waits.</p>}
      {groups.map((group) => (
        <section key={group.title} aria-label={group.title}>
          <h3 className="small quiet" style={{ padding: 'var(--s3) var(--s4) 0' }}>{group.title}</h3>
          <ul className="queue-list">{group.items.slice(0, 12).map((entry) => <QueueItem key={entry.run_id} entry={entry} />)}</ul>
          {group.items.length > 12 && <p className="quiet small" style={{ padding: '0 var(--s4) var(--s3)' }}>and {group.items.length - 12} more</p>}
        </section>
      ))}
    </aside>
  );
}

const Views = lazily(() => import('./views'));

export default function Runs() {
  const search = useSearch({ from: '/app/' });
  const navigate = useNavigate({ from: '/' });
  const [text, setText] = useState(search.q ?? '');
  const needle = useDeferredValue(text);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [ending, setEnding] = useState<ReadonlySet<string>>(new Set());
  const [confirming, setConfirming] = useState(false);
  const box = useRef<HTMLInputElement>(null);
  const more = useRef<HTMLDivElement>(null);
  useTitle('Runs');

  useEffect(() => {
    if ((search.q ?? '') === needle) return;
    const timer = setTimeout(() => void navigate({ search: (old) => ({ ...old, q: needle || undefined }), replace: true }), 200);
    return () => clearTimeout(timer);
  }, [needle, search.q, navigate]);

  const list = useInfiniteQuery({ ...runsQuery(search), placeholderData: (old) => old });
  const gates = useQuery(gatesQuery);
  const queue = useQuery(queueQuery);
  const pipelines = useQuery(pipelinesQuery);
  const runs = list.data?.pages.flatMap((page) => page.runs) ?? [];
  const asking = gates.data?.gates.filter(({ gate }) => gate.type !== 'timer') ?? [];

  const { hasNextPage, fetchNextPage, isFetchingNextPage } = list;
  useEffect(() => {
    const end = more.current;
    if (!end || !hasNextPage) return;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting && !isFetchingNextPage) void fetchNextPage();
    }, { rootMargin: '600px' });
    observer.observe(end);
    return () => observer.disconnect();
  }, [hasNextPage, fetchNextPage, isFetchingNextPage]);

  const rowLinks = () => [...document.querySelectorAll<HTMLAnchorElement>('.run-row a.title')];
  const step = (by: number) => {
    const links = rowLinks();
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
  };
  const select = (id: string, on: boolean) => setSelected((old) => {
    const next = new Set(old);
    if (on) next.add(id);
    else next.delete(id);
    return next;
  });
  useKeys({
    j: () => step(1), k: () => step(-1), f: () => box.current?.focus(),
    x: () => {
      const id = document.activeElement?.closest<HTMLElement>('.run-row')?.dataset.run;
      if (id) select(id, !selected.has(id));
    },
  });

  const endable = runs.filter((run) => selected.has(run.run_id) && !terminal.has(run.status));
  const cancelAll = async () => {
    setConfirming(false);
    // Shown at once; the stream ends them, and what was refused stands as it was.
    setEnding((before) => new Set([...before, ...endable.map((run) => run.run_id)]));
    const results = await Promise.allSettled(endable.map((run) => cancelRun(run.run_id, false)));
    const refused = endable.filter((_, i) => results[i]!.status === 'rejected').map((run) => run.run_id);
    setEnding((before) => new Set([...before].filter((id) => !refused.includes(id))));
    const wrong = results.filter((result) => result.status === 'rejected');
    if (wrong.length < results.length) toast('ok', `${results.length - wrong.length} runs are being cancelled`);
    if (wrong[0]) toastError(`${wrong.length} could not be cancelled`, (wrong[0] as PromiseRejectedResult).reason);
    setSelected(new Set());
  };
  const filtered = Boolean(search.status || search.pipeline || search.q || search.since);

  return (
    <>
      <PageHead title="Runs" actions={<Link to="/new" className="button primary"><Icon name="plus" size={16} />New run</Link>} />
      {asking.length > 0 && (
        <section aria-label="Waits for you">
          <h2 style={{ marginBottom: 'var(--s3)' }}>Waits for you <span className="quiet">({asking.length})</span></h2>
          <div className="gates-top">{asking.slice(0, 9).map((waiting) => <div key={`${waiting.gate.run_id} ${waiting.gate.gate_id}`}><GateCard waiting={waiting} /></div>)}</div>
        </section>
      )}
      <div className="runs-layout">
        <div>
          <section className="card" aria-label="List of runs">
            <div className="filters">
              <div className="search">
                <Icon name="search" size={17} />
                <input ref={box} className="input" type="search" aria-label="Search in inputs and names" placeholder="Search in inputs and names" value={text} onChange={(event) => setText(event.target.value)} />
              </div>
              <select className="select" aria-label="Pipeline" value={search.pipeline ?? ''} onChange={(event) => void navigate({ search: (old) => ({ ...old, pipeline: event.target.value || undefined }) })}>
                <option value="">All pipelines</option>
                {pipelines.data?.pipelines.map((pipeline) => <option key={pipeline.name}>{pipeline.name}</option>)}
                {search.pipeline && !pipelines.data?.pipelines.some((one) => one.name === search.pipeline) && <option>{search.pipeline}</option>}
              </select>
              <Suspense fallback={<span className="button plain small">Views</span>}><Views search={{ ...search }} /></Suspense>
              <div className="states" role="group" aria-label="Status">
                {states.map((state) => (
                  <button key={state.label} aria-pressed={same(search.status, state.value)} onClick={() => void navigate({ search: (old) => ({ ...old, status: state.value }) })}>{state.label}</button>
                ))}
              </div>
            </div>
            {list.isPending || (runs.length === 0 && hasNextPage) ? <Bones rows={7} height={30} label={list.isPending ? 'Loading runs' : 'Looking through older runs'} />
              : list.isError && runs.length === 0 ? <Trouble error={list.error} retry={() => void list.refetch()} />
                : runs.length === 0 ? (
                  <Empty icon={filtered ? 'search' : 'runs'} title={filtered ? 'No run is like that' : 'Nothing has run yet'}>
                    {filtered ? <button className="button" onClick={() => { setText(''); void navigate({ search: {} as never }); }}>Show all runs</button>
                      : <><p>Start a pipeline here, or in the project’s folder with <code>wave run</code>. What it does appears at once.</p><Link to="/new" className="button primary">Start the first run</Link></>}
                  </Empty>
                ) : (
                  <ul className={`run-list${selected.size > 0 ? ' selecting' : ''}`} aria-label="Runs">
                    {runs.map((run) => <RunRow key={run.run_id} run={run} selected={selected.has(run.run_id)} ending={ending.has(run.run_id) && !terminal.has(run.status)} onSelect={select} />)}
                  </ul>
                )}
            <div ref={more} />
            {isFetchingNextPage && runs.length > 0 && <Bones rows={2} height={30} label="Loading more runs" />}
          </section>
          {selected.size > 0 && (
            <div className="bulk" role="region" aria-label="Selected runs">
              <span className="small">{selected.size} selected</span>
              <button className="button small danger" disabled={endable.length === 0} onClick={() => setConfirming(true)}>Cancel {endable.length || ''}</button>
              <button className="button small plain" style={{ color: 'inherit' }} onClick={() => setSelected(new Set())}>Clear</button>
            </div>
          )}
        </div>
        {queue.data ? <QueueCard queue={queue.data} /> : queue.isPending ? <div className="card"><Bones rows={3} label="Loading the queue" /></div> : null}
      </div>
      <Dialog open={confirming} onClose={() => setConfirming(false)} title={`Cancel ${endable.length} ${endable.length === 1 ? 'run' : 'runs'}?`}
        description="Their agents get SIGTERM, and SIGKILL after the grace period. What they cost so far stays counted, and what they made stays.">
        <div className="actions">
          <button className="button" onClick={() => setConfirming(false)}>Let them run</button>
          <button className="button danger" onClick={() => void cancelAll()}>Cancel them</button>
        </div>
      </Dialog>
    </>
  );
}
