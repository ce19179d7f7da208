import './catalogue.css';
import './run.css';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { optionalQuery, pipelineQuery, runsQuery, validatePipeline } from '../api/queries';
import { query } from '../api/client';
import { duration, many, money, shortId } from '../ui/format';
import { Icon } from '../ui/icons';
import { Bones, PageHead, Trouble } from '../ui/states';
import { Glyph, Status } from '../ui/status';
import { Ago, Lasted } from '../ui/time';
import { useTitle } from '../ui/title';
import { toastError } from '../ui/toasts';
import { successRate, type RetroPage } from './pipelines';
import { Source } from './source';
import { lazily } from '../ui/lazily';

const GraphView = lazily(() => import('../run/graph'));
const Chart = lazily(() => import('../ui/chart'));

function Editor({ source, name }: { source: string; name: string }) {
  const [text, setText] = useState(source);
  const check = useMutation({ mutationFn: () => validatePipeline(text, name), onError: (error) => toastError('It could not be checked', error) });
  return (
    <div>
      <label className="sr-only" htmlFor="editor">A copy of {name}</label>
      <textarea id="editor" className="textarea editor" spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
      <div className="row wrap" style={{ padding: 'var(--s3) var(--s4)' }}>
        <button className="button primary small" disabled={check.isPending} onClick={() => check.mutate()}>Check this copy</button>
        {check.data && <Status status={check.data.valid ? 'completed' : 'failed'} word={check.data.valid ? (check.data.runnable ? 'It loads and can be run' : 'It loads; this version cannot run all of it') : 'It does not load'} />}
        <span className="small quiet">The file itself stays as it is.</span>
      </div>
      {check.data && check.data.diagnostics.length > 0 && <Source text={text} diagnostics={check.data.diagnostics} label="The copy with what there is to say" />}
    </div>
  );
}

export default function PipelineScreen() {
  const { name } = useParams({ from: '/app/pipelines/$name' });
  useTitle(name);
  const { data, error, isPending, refetch } = useQuery(pipelineQuery(name));
  const recent = useInfiniteQuery(runsQuery({ pipeline: name }));
  const retros = useQuery(optionalQuery<RetroPage>('retros', `/api/retros${query({ pipeline: name, limit: 100 })}`)).data;
  const [editing, setEditing] = useState(false);
  if (isPending) return <Bones rows={8} label="Loading the pipeline" />;
  if (error) return <Trouble page error={error} retry={() => void refetch()} />;
  const { pipeline } = data;
  const stats = retros?.stats?.find((one) => one.pipeline === name);
  const series = [...(retros?.retros ?? [])].reverse();
  const runs = recent.data?.pages[0]?.runs.slice(0, 10) ?? [];
  return (
    <>
      <nav className="crumbs" aria-label="Where this is"><Link to="/pipelines">Pipelines</Link></nav>
      <PageHead title={name} actions={pipeline.valid && !pipeline.disabled && <Link to="/new" search={{ pipeline: name }} className="button primary"><Icon name="plus" size={15} />Start a run</Link>}>
        {pipeline.description && <p>{pipeline.description}</p>}
        <p className="small"><code>{pipeline.path}</code></p>
      </PageHead>
      <div className="detail">
        <div className="stack">
          {!pipeline.valid && (
            <section className="note bad stack tight" aria-label="Why it does not load">
              <p><strong>It does not load: {many(pipeline.diagnostics.filter((one) => one.severity === 'error').length, 'error')}.</strong> It can be started when they are mended.</p>
              {pipeline.diagnostics.filter((one) => one.severity === 'error').slice(0, 5).map((one, i) => <p key={i} className="small">{one.line > 0 && <><a href={`#L${one.line}`}>Line {one.line}</a>: </>}{one.message}</p>)}
            </section>
          )}
          {data.graph.nodes.length > 0 && <section className="card" aria-label="Graph"><div className="graph" style={{ height: 420 }}><Suspense fallback={<Bones rows={6} />}><GraphView graph={data.graph} label={`Graph of ${name}`} /></Suspense></div></section>}
          <section className="card" aria-label="Source">
            <header><h2>Source</h2><button className="button small plain" aria-pressed={editing} onClick={() => setEditing(!editing)}>{editing ? 'Back to the file' : 'Check an edited copy'}</button></header>
            {editing ? <Editor source={data.source} name={name} /> : <Source text={data.source} diagnostics={pipeline.diagnostics} label={`Source of ${name}`} />}
          </section>
        </div>
        <div className="stack">
          {stats && stats.runs > 0 && (
            <section className="card pad stack" aria-label="How it goes">
              <h2>How it goes</h2>
              <dl className="facts">
                <dt>Went well</dt><dd>{Math.round(100 * successRate(stats))} % of {stats.runs}</dd>
                <dt>Takes</dt><dd>{duration(stats.duration_p50_ms)}; nine of ten up to {duration(stats.duration_p90_ms)}</dd>
                <dt>Costs</dt><dd>{money(stats.cost_p50_usd)} mostly; {money(stats.cost_usd)} in all</dd>
              </dl>
              {series.length > 2 && (
                <Suspense fallback={<Bones rows={2} height={60} />}>
                  <Chart title="Duration" times={series.map((one) => Date.parse(one.queued_at ?? '') / 1000)} values={series.map((one) => one.total_ms / 1000)} say={(value) => duration(value * 1000)} />
                  <Chart title="Cost" times={series.map((one) => Date.parse(one.queued_at ?? '') / 1000)} values={series.map((one) => one.cost_usd)} say={money} />
                </Suspense>
              )}
            </section>
          )}
          <section className="card" aria-label="Recent runs">
            <header><h2>Recent runs</h2><Link to="/" search={{ pipeline: name }} className="small">All</Link></header>
            {runs.length === 0 ? <p className="quiet small" style={{ padding: 'var(--s4)' }}>{recent.isPending ? 'Loading …' : 'It has not run yet.'}</p> : (
              <ul className="queue-list">
                {runs.map((run) => (
                  <li key={run.run_id} style={{ display: 'grid', gridTemplateColumns: '22px minmax(0,1fr) auto', gap: 'var(--s2)', padding: '0.55rem var(--s4)', borderBottom: '1px solid var(--line)' }}>
                    <Glyph status={run.status} />
                    <Link to="/runs/$runId" params={{ runId: run.run_id }} className="truncate" title={run.run_id}>{run.input || shortId(run.run_id)}</Link>
                    <span className="small quiet"><Lasted from={run.started_at} to={run.finished_at} /> · <Ago time={run.queued_at} /></span>
                  </li>
                ))}
              </ul>
            )}
          </section>
        </div>
      </div>
    </>
  );
}
