// What the runs say together: what fails where, what is flaky, what gets slower or dearer.
import './catalogue.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { query } from '../api/client';
import { optionalQuery, pipelinesQuery } from '../api/queries';
import { duration, many, money, shortId } from '../ui/format';
import { Bones, Empty, PageHead, Trouble } from '../ui/states';
import { Status } from '../ui/status';
import { Ago } from '../ui/time';
import { useTitle } from '../ui/title';
import { successRate, type PipelineStats, type RetroPage, type RetroSummary } from './pipelines';
import { lazily } from '../ui/lazily';

const Chart = lazily(() => import('../ui/chart'));
const inDollars = (value: number) => money(value);
const inTime = (value: number) => duration(value * 1000);

function Drift({ change, say }: { change: number; say: string }) {
  if (!Number.isFinite(change) || Math.abs(change) < 0.1) return <span className="quiet">steady</span>;
  const up = change > 0;
  return <span style={{ color: up ? 'var(--warn)' : 'var(--ok)' }}>{up ? '+' : '−'}{Math.round(Math.abs(change) * 100)} % {say}</span>;
}

function OfPipeline({ stats, retros }: { stats: PipelineStats; retros: RetroSummary[] }) {
  const series = retros.filter((one) => one.queued_at).reverse();
  const times = series.map((one) => Date.parse(one.queued_at!) / 1000);
  const troubled = stats.steps.filter((step) => step.failed + step.flaky + step.retries + step.reworks + step.failed_contracts > 0);
  return (
    <section className="card" aria-label={stats.pipeline}>
      <header>
        <h2><Link to="/pipelines/$name" params={{ name: stats.pipeline }}>{stats.pipeline}</Link></h2>
        <span className="small quiet">{many(stats.runs, 'run')} · {Math.round(100 * successRate(stats))} % well · mostly {duration(stats.duration_p50_ms)} · {money(stats.cost_usd)} in all</span>
      </header>
      <div style={{ padding: 'var(--s4)' }} className="stack">
        <p className="small">Time: <Drift change={stats.duration_drift.change} say="slower" /> · Cost: <Drift change={stats.cost_drift.change} say="dearer" /></p>
        {series.length > 2 && (
          <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(320px, 100%), 1fr))', gap: 'var(--s4)' }}>
            <Suspense fallback={<Bones rows={2} height={60} />}>
              <Chart title="Duration of each run" times={times} values={series.map((one) => one.total_ms / 1000)} say={inTime} />
              <Chart title="Cost of each run" times={times} values={series.map((one) => one.cost_usd)} say={inDollars} />
            </Suspense>
          </div>
        )}
        {troubled.length === 0 ? <p className="quiet small">Every step was done the first time, every time.</p> : (
          <div className="scroll-x" tabIndex={0} role="region" aria-label={`Steps of ${stats.pipeline} that gave trouble`}>
            <table className="table">
              <thead><tr><th>Step</th><th>Most often</th><th className="num">Failed</th><th className="num">Flaky</th><th className="num">Retries</th><th className="num">Reworks</th><th className="num">Contracts</th><th className="num">Takes</th><th className="num">Cost</th></tr></thead>
              <tbody>
                {troubled.map((step) => (
                  <tr key={step.step}>
                    <td>{step.step}</td>
                    <td className="quiet">{Object.entries(step.failures).sort((a, b) => b[1] - a[1])[0]?.[0]?.replaceAll('_', ' ') ?? '–'}</td>
                    <td className="num">{step.failed}</td><td className="num">{step.flaky}</td><td className="num">{step.retries}</td><td className="num">{step.reworks}</td>
                    <td className="num">{step.failed_contracts}</td><td className="num">{duration(step.working_p50_ms)}</td><td className="num">{money(step.cost_usd)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </section>
  );
}

export default function Retros() {
  useTitle('Retrospectives');
  const [pipeline, setPipeline] = useState('');
  const pipelines = useQuery(pipelinesQuery).data?.pipelines ?? [];
  const { data, error, isPending, refetch } = useQuery(optionalQuery<RetroPage>('retros', `/api/retros${query({ pipeline, limit: 100 })}`));
  return (
    <>
      <PageHead title="Retrospectives" actions={
        <select className="select" aria-label="Pipeline" value={pipeline} onChange={(event) => setPipeline(event.target.value)}>
          <option value="">All pipelines</option>{pipelines.map((one) => <option key={one.name}>{one.name}</option>)}
        </select>}>
        <p>What the last runs say together: what fails where, what is flaky, what gets slower or dearer.</p>
      </PageHead>
      {isPending ? <Bones rows={8} label="Looking back" /> : error ? <Trouble error={error} retry={() => void refetch()} />
        : data.unavailable ? <Empty icon="chart" title="This server keeps no retrospectives"><p>{data.unavailable}</p></Empty>
          : data.retros.length === 0 ? <Empty icon="chart" title="No run has ended yet"><p>When one has, it is looked back at here.</p></Empty> : (
            <div className="stack">
              {data.stats.map((stats) => <OfPipeline key={stats.pipeline} stats={stats} retros={data.retros.filter((one) => one.pipeline === stats.pipeline)} />)}
              <section className="card" aria-label="Each run">
                <header><h2>Each run</h2></header>
                <div className="scroll-x" tabIndex={0} role="region" aria-label="Runs and how they went">
                  <table className="table">
                    <thead><tr><th>Run</th><th>Ended</th><th>How it went</th><th>What was in the way</th><th className="num">Took</th><th className="num">Cost</th></tr></thead>
                    <tbody>
                      {data.retros.slice(0, 50).map((one) => (
                        <tr key={one.run_id}>
                          <td className="nowrap"><Link to="/runs/$runId" params={{ runId: one.run_id }} search={{ tab: 'retro' }}>{one.pipeline} <span className="mono quiet">{shortId(one.run_id)}</span></Link><br /><span className="quiet small"><Ago time={one.queued_at} /></span></td>
                          <td><Status status={one.outcome} /></td><td className="nowrap">{one.smoothness.replaceAll('_', ' ')}</td>
                          <td className="quiet" style={{ minWidth: 220 }}>{one.trouble ? one.trouble.slice(0, 180) : '–'}</td>
                          <td className="num">{duration(one.total_ms)}</td><td className="num">{money(one.cost_usd)}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              </section>
            </div>
          )}
    </>
  );
}
