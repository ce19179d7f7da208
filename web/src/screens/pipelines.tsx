import './catalogue.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { optionalQuery, pipelinesQuery } from '../api/queries';
import type { Pipeline } from '../api/types';
import { duration, many, money } from '../ui/format';
import { Bones, Empty, PageHead, Trouble } from '../ui/states';
import { useTitle } from '../ui/title';

export interface PipelineStats {
  pipeline: string;
  runs: number;
  completed: number;
  failed: number;
  rejected: number;
  cancelled: number;
  duration_p50_ms: number;
  duration_p90_ms: number;
  cost_usd: number;
  cost_p50_usd: number;
  cost_drift: { earlier: number; later: number; change: number };
  duration_drift: { earlier: number; later: number; change: number };
  steps: StepStats[];
}
export interface StepStats {
  step: string;
  runs: number;
  failed: number;
  flaky: number;
  retries: number;
  reworks: number;
  interruptions: number;
  failed_contracts: number;
  working_p50_ms: number;
  working_p90_ms: number;
  cost_usd: number;
  failures: Record<string, number>;
}
export interface RetroSummary {
  run_id: string;
  pipeline: string;
  outcome: string;
  smoothness: string;
  failed_step: string | null;
  failure_class: string | null;
  trouble: string | null;
  queued_at: string | null;
  finished_at: string | null;
  total_ms: number;
  working_ms: number;
  waiting_ms: number;
  cost_usd: number;
  retries: number;
  reworks: number;
}
export interface RetroPage {
  unavailable?: string;
  retros: RetroSummary[];
  stats: PipelineStats[];
  has_more: boolean;
}

export const successRate = (stats: PipelineStats): number => {
  const judged = stats.completed + stats.failed + stats.rejected;
  return judged === 0 ? 0 : stats.completed / judged;
};

function Tile({ pipeline, stats }: { pipeline: Pipeline; stats: PipelineStats | undefined }) {
  const wrong = pipeline.diagnostics.filter((one) => one.severity !== 'warning').length;
  return (
    <li className="card tile">
      <h2><Link to="/pipelines/$name" params={{ name: pipeline.name }}>{pipeline.name}</Link></h2>
      {pipeline.description && <p>{pipeline.description}</p>}
      <div className="foot">
        {!pipeline.valid ? <span className="chip" style={{ background: 'var(--bad-soft)', color: 'var(--bad)' }}>does not load: {wrong} {wrong === 1 ? 'error' : 'errors'}</span>
          : !pipeline.runnable ? <span className="chip" style={{ background: 'var(--warn-soft)', color: 'var(--warn)' }}>not all of it can be run</span>
            : <span>{many(pipeline.step_count, 'step')}{stats && stats.runs > 0 && <span title={`${stats.completed} of ${stats.runs} completed`}> · {Math.round(100 * successRate(stats))} % well · {duration(stats.duration_p50_ms)} · {money(stats.cost_p50_usd)}</span>}</span>}
        {pipeline.disabled && <span className="chip">disabled</span>}
        {pipeline.valid && !pipeline.disabled && <Link to="/new" search={{ pipeline: pipeline.name }} className="button small">Start</Link>}
      </div>
    </li>
  );
}

export default function Pipelines() {
  useTitle('Pipelines');
  const { data, error, isPending, refetch } = useQuery(pipelinesQuery);
  const retros = useQuery(optionalQuery<RetroPage>('retros', '/api/retros?limit=200')).data;
  const [text, setText] = useState('');
  if (isPending) return <Bones rows={6} height={60} label="Loading pipelines" />;
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  const shown = data.pipelines.filter((one) => `${one.name} ${one.description ?? ''} ${one.category ?? ''}`.toLowerCase().includes(text.toLowerCase()));
  return (
    <>
      <PageHead title="Pipelines" actions={data.pipelines.length > 6 && <input className="input" style={{ width: 240 }} type="search" aria-label="Find a pipeline" placeholder="Find a pipeline" value={text} onChange={(event) => setText(event.target.value)} />}>
        <p>What this project can run. Those that do not load are here, too, with what is wrong.</p>
      </PageHead>
      {shown.length === 0 ? <Empty icon="pipeline" title={text ? 'No pipeline is called that' : 'There is no pipeline yet'} />
        : <ul className="tiles">{shown.map((one) => <Tile key={one.path} pipeline={one} stats={retros?.stats?.find((stats) => stats.pipeline === one.name)} />)}</ul>}
    </>
  );
}
